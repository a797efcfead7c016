// One file of captures, whatever its kind: over sinks in memory, and again over sockets where requests can travel so.

import type { Capture } from './capture.ts'
import { checkDelivery } from './check-delivery.ts'
import { checkLife } from './check-life.ts'
import { checkShape } from './check-shape.ts'
import { checkThroughput, checkVolume } from './check-volume.ts'
import type { Difference } from './differences.ts'
import type { Medium } from './world.ts'

export async function checkCapture(capture: Capture): Promise<readonly Difference[]> {
  const overMemory = await check(capture, 'memory')
  if (overMemory.length > 0 || isTooLarge(capture)) return overMemory
  const overSockets = await check(capture, 'sockets')
  return overSockets.map(({ path, ...sides }) => ({ path: `over sockets: ${path}`, ...sides }))
}

const isTooLarge = ({ kind }: Capture): boolean => kind === 'volume' || kind === 'throughput' || kind === 'unknown'

/** What a check throws is a difference too: a file that cannot be followed must not pass. */
async function check(capture: Capture, medium: Medium): Promise<readonly Difference[]> {
  try {
    return await checkKind(capture, medium)
  } catch (error) {
    return [{ path: capture.file, expected: 'a capture that can be followed', got: String(error) }]
  }
}

function checkKind(capture: Capture, medium: Medium): Promise<readonly Difference[]> {
  switch (capture.kind) {
    case 'shape':
      return checkShape(capture.content, medium)
    case 'delivery':
      return checkDelivery(capture.content, medium)
    case 'life':
      return checkLife(capture.content, medium)
    case 'volume':
      return checkVolume(capture.content)
    case 'throughput':
      return checkThroughput(capture.content.results)
    default:
      return Promise.resolve([{ path: capture.file, expected: 'a capture', got: capture.fault }])
  }
}
