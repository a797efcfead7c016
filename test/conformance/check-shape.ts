// One record in, the exact requests out.

import { sourceRecord, type ParserRefusal, type ShapeCapture } from './capture.ts'
import { compareRequests, differencesOf, type Difference } from './differences.ts'
import { createWorld, type Medium } from './world.ts'

/** Covers every retry of the default delivery, to the sink and to the dead letter sink. */
const longestMs = 1_500_000

export async function checkShape(capture: ShapeCapture, medium: Medium): Promise<readonly Difference[]> {
  const { source, record, requests, refusedByHttpParser } = capture
  const world = await createWorld({ source, partitions: record.partition + 1, answerFor: () => 200, medium })
  try {
    await world.start()
    world.log.append([sourceRecord(record)])
    const committed = (): boolean => world.log.commits.get(`${record.topic}/${record.partition}`) === record.offset + 1
    await world.clock.run(committed, longestMs)
    const { steps, refused } = world.sinks
    return [
      ...differencesOf('requests.length', requests.length, steps.length),
      ...requests.flatMap((expected, at) => compareRequests(`requests[${at}]`, expected, steps[at]?.request)),
      ...differencesOf('committed', capture.committed, committed()),
      ...compareRefusals('refusedByHttpParser', refusedByHttpParser, { refused, medium }),
    ]
  } finally {
    await world.close()
  }
}

interface Refusals {
  readonly refused: readonly ParserRefusal[]
  readonly medium: Medium
}

/** Sinks in memory know the status; the code and the reason are those of a real parser. */
export function compareRefusals(
  path: string,
  expected: readonly ParserRefusal[] | undefined,
  { refused, medium }: Refusals,
): readonly Difference[] {
  const got = refused.map(({ to, code, reason, status }, at) => {
    const asked = expected?.[at]
    return {
      ...(asked?.to === undefined ? {} : { to }),
      code: medium === 'memory' ? asked?.code : code,
      ...(asked?.reason === undefined ? {} : { reason: medium === 'memory' ? asked.reason : reason }),
      status,
    }
  })
  return differencesOf(path, expected ?? [], got)
}
