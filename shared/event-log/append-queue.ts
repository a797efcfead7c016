// Lets one write be under way at a time and gathers the calls that arrive meanwhile into the next one. So records keep the
// order of the calls, and a burst costs few writes. A write that fails fails all its callers: any may retry, none is lost.

import { SluiceError } from '../errors/index.ts'
import type { AppendRecord, Position } from './event-log.ts'
import { recordBytes, refuseTooLarge } from './record-limits.ts'

export interface AppendQueue {
  append(records: readonly AppendRecord[], signal?: AbortSignal): Promise<readonly Position[]>
  /** Refuses further calls and resolves when the last write ended. */
  stop(): Promise<void>
}

interface Call {
  readonly records: readonly AppendRecord[]
  readonly resolve: (positions: readonly Position[]) => void
  readonly reject: (error: unknown) => void
}

/** A write takes whole calls until it has this many records or bytes. */
const batchRecords = 500
const batchBytes = 2 * 1_048_576

/** `write` stores all records or throws; positions come in the order of the records. */
export function createAppendQueue(
  write: (records: readonly AppendRecord[]) => Promise<readonly Position[]>,
): AppendQueue {
  const waiting: Call[] = []
  let writing: Promise<void> | undefined
  let stopped = false

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const calls = takeCalls(waiting)
      try {
        const positions = await write(calls.flatMap(({ records }) => records))
        let from = 0
        for (const { records, resolve } of calls) resolve(positions.slice(from, (from += records.length)))
      } catch (error) {
        for (const { reject } of calls) reject(error)
      }
    }
    writing = undefined
  }

  return {
    append: async (records, signal) => {
      if (stopped) throw new SluiceError('event_log_unavailable', 'The event log is stopped')
      signal?.throwIfAborted()
      refuseTooLarge(records)
      if (records.length === 0) return []
      const { promise, resolve, reject } = Promise.withResolvers<readonly Position[]>()
      const call = { records, resolve, reject }
      waiting.push(call)
      writing ??= writeAll()
      if (signal === undefined) return await promise
      // A call that still waits is not written; one under way may be. The caller hears of the abort in both cases.
      const onAbort = (): void => {
        const at = waiting.indexOf(call)
        if (at !== -1) waiting.splice(at, 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      return await promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    stop: async () => {
      stopped = true
      await writing
    },
  }
}

function takeCalls(waiting: Call[]): readonly Call[] {
  let records = 0
  let bytes = 0
  const count = waiting.findIndex((call, at) => {
    records += call.records.length
    bytes += call.records.reduce((sum, record) => sum + recordBytes(record), 0)
    return at > 0 && (records > batchRecords || bytes > batchBytes)
  })
  return waiting.splice(0, count === -1 ? waiting.length : count)
}
