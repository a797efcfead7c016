// A clock that stands still until told to run: ten-minute back-offs pass in a millisecond of real time, in a fixed order.
//
// V1  Everything that follows from one timer has happened before the next one fires.
// V2  Timers of the same moment fire in the order in which they were set.

import { setImmediate as settled } from 'node:timers/promises'
import { sleepOn, type Clock } from '../../shared/time/index.ts'

export interface VirtualClock extends Clock {
  /** Fires timers in order until `done()` or until `limitMs` of virtual time have passed. Says which. */
  run(done: () => boolean, limitMs: number): Promise<'done' | 'limit'>
}

export interface VirtualClockOptions {
  readonly startMs?: number
  /** Something real is under way, such as bytes between sockets: time waits for it. */
  readonly busy?: () => boolean
}

interface Entry {
  readonly atMs: number
  readonly callback: () => void
  isCancelled: boolean
}

/** Longest wait for something real, in milliseconds. */
const longestBusyMs = 20_000

export function createVirtualClock({ startMs = 1_788_257_730_123, busy }: VirtualClockOptions = {}): VirtualClock {
  const entries: Entry[] = [] // by time, and by insertion within a moment
  let nowMs = startMs

  async function standStill(): Promise<void> {
    await settled()
    if (busy === undefined) return
    const giveUpAt = performance.now() + longestBusyMs
    while (busy()) {
      if (performance.now() > giveUpAt) throw new Error(`something real did not end within ${longestBusyMs} ms`)
      await settled()
    }
    await settled()
  }

  const clock: VirtualClock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (ms, callback) => {
      const entry = { atMs: nowMs + ms, callback, isCancelled: false }
      entries.splice(placeOf(entries, entry.atMs), 0, entry)
      return { cancel: () => void (entry.isCancelled = true) }
    },
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    run: async (done, limitMs) => {
      const endMs = nowMs + limitMs
      for (;;) {
        while (entries[0]?.isCancelled === true) entries.shift()
        await standStill()
        if (done()) return 'done'
        const [next] = entries
        if (next === undefined || next.atMs > endMs) {
          nowMs = endMs
          return 'limit'
        }
        entries.shift()
        if (next.isCancelled) continue // while time stood still
        nowMs = Math.max(nowMs, next.atMs)
        next.callback()
      }
    },
  }
  return clock
}

/** Behind everything that is due by then. */
function placeOf(entries: readonly Entry[], atMs: number): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.atMs ?? 0) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
