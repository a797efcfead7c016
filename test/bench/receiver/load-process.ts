// The load generator's handle: a process on the second core that runs one slice at a time.

import { once } from 'node:events'
import { firstMessage, startPinned } from './pinned-process.ts'

export interface Slice {
  readonly port: number
  readonly connections: number
  readonly ms: number
  /** Each event has an id of its own, and each connection has keys of its own. Default: the same event again and again. */
  readonly distinct?: boolean
}

export interface SliceResult {
  readonly requests: number
  readonly errors: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Load extends AsyncDisposable {
  run(slice: Slice): Promise<SliceResult>
}

export async function startLoad(): Promise<Load> {
  const { child, stop } = startPinned('load.ts', 1)
  await firstMessage(child)
  return {
    run: async (slice) => {
      child.send(slice)
      const [result] = (await once(child, 'message')) as [SliceResult]
      return result
    },
    [Symbol.asyncDispose]: stop,
  }
}
