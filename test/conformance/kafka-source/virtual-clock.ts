// A clock that stands still until told to run: ten-minute back-offs pass in a millisecond of real time, in a fixed order.

import { setImmediate as settled } from 'node:timers/promises'
import { sleepOn, type Clock } from '../../../shared/time/index.ts'

export interface VirtualClock extends Clock {
  /** Fires timers in order until `done()` or until `limitMs` of virtual time have passed. Says which. */
  run(done: () => boolean, limitMs: number): Promise<'done' | 'limit'>
}

export function createVirtualClock(startMs = 1_788_257_730_123): VirtualClock {
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  let nowMs = startMs
  const clock: VirtualClock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (ms, callback) => {
      const timer = { atMs: nowMs + ms, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    run: async (done, limitMs) => {
      const endMs = nowMs + limitMs
      for (;;) {
        await settled() // everything that is due now happens before time moves
        if (done()) return 'done'
        const next = [...timers].toSorted((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined || next.atMs > endMs) return 'limit'
        timers.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.callback()
      }
    },
  }
  return clock
}
