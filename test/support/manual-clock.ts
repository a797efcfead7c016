// A clock that stands still until a test moves it. Timers fire in the order of their times while it moves; what they
// start asynchronously has run before `advance` resolves.

import { setImmediate as macrotask } from 'node:timers/promises'
import { sleepOn, type Clock } from '../../shared/time/index.ts'

export interface ManualClock extends Clock {
  /** Moves time forward by `ms`, firing what falls due on the way. */
  advance(ms: number): Promise<void>
  /** Moves time forward and fires nothing, as for an event loop that is blocked. */
  block(ms: number): void
  /** Delays of the timers that wait now, ascending. */
  readonly waiting: readonly number[]
}

interface Entry {
  readonly due: number
  readonly callback: () => void
}

/** Starts at `startMs` of the epoch; monotonic time starts at 0. */
export function createManualClock(startMs = Date.UTC(2025, 0, 15, 12)): ManualClock {
  let passed = 0
  const entries = new Set<Entry>()
  const next = (until: number): Entry | undefined =>
    [...entries].filter(({ due }) => due <= until).toSorted((a, b) => a.due - b.due)[0]
  const clock: ManualClock = {
    now: () => startMs + passed,
    monotonic: () => passed,
    after: (ms, callback) => {
      const entry = { due: passed + ms, callback }
      entries.add(entry)
      return { cancel: () => void entries.delete(entry) }
    },
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    advance: async (ms) => {
      const until = passed + ms
      await macrotask()
      for (let entry = next(until); entry !== undefined; entry = next(until)) {
        entries.delete(entry)
        passed = Math.max(passed, entry.due)
        entry.callback()
        await macrotask()
      }
      passed = until
    },
    block: (ms) => {
      passed += ms
    },
    get waiting() {
      return [...entries].map(({ due }) => due - passed).toSorted((a, b) => a - b)
    },
  }
  return clock
}
