// A tick: sends what is due, and what falls due while the budget lasts, so that a write that failed a moment ago need not wait
// for the next minute. Then tells how many are left.

import type { Handler } from '../../shared/function/index.ts'
import type { Memory } from '../../shared/memory/index.ts'
import type { Instruments } from '../../shared/telemetry/index.ts'
import type { memorySync } from './function.ts'
import { sendWrites, type SendDeps, type SendOptions } from './send-writes.ts'
import { nextDueMs, waitingWrites } from './waiting-writes.ts'

export interface Deps extends Omit<SendDeps, 'memory'> {
  /** Absent when no memory-service is configured. */
  readonly memory: Memory | undefined
  readonly instruments: Instruments
}

/** Kept for answering within the budget, in milliseconds. */
const reserveMs = 1_000
/** A write may be due and still wait for an earlier one, so the next look is not at once. */
const leastPauseMs = 250

export const createHandler =
  (options: Partial<SendOptions>, deps: Deps): Handler<typeof memorySync> =>
  async (_tick, { signal, remainingMs, log }) => {
    const { database, clock, instruments, memory } = deps
    if (memory === undefined) return log.debug({}, 'no memory-service is configured')
    const tally = { sent: 0, retried: 0, dead: 0 }
    while (!signal.aborted && !deps.draining.aborted) {
      const { sent, retried, dead } = await sendWrites(options, { ...deps, memory }, signal)
      tally.sent += sent
      tally.retried += retried
      tally.dead += dead
      if (sent + dead > 0) continue
      const pauseMs = Math.max(leastPauseMs, (await nextDueMs(database)) ?? Infinity)
      if (pauseMs > remainingMs() - reserveMs) break
      await clock.sleep(pauseMs, AbortSignal.any([signal, deps.draining])).catch(() => undefined)
    }
    const waiting = await waitingWrites(database)
    instruments.memoryWritesWaiting.set(waiting)
    if (waiting > 0 || tally.sent + tally.dead > 0) log.info({ ...tally, waiting }, 'memory writes were sent')
  }
