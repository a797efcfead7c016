// The time limits of one model call: a total, and one for what is awaited at the moment. The signal aborts with
// `model_timeout` naming the phase; `details.phase` tells it to metrics and tests.

import { SluiceError } from '../errors/index.ts'
import type { Clock, Timer } from '../time/index.ts'

export type Phase = 'first token' | 'next chunk' | 'end of stream' | 'total'

export interface PhaseTimer {
  readonly signal: AbortSignal
  /** From now on at most `ms` may pass before the next `enter` or `stop`. */
  enter(phase: Phase, ms: number): void
  stop(): void
}

export function createPhaseTimer(
  { totalMs }: { readonly totalMs: number },
  { clock }: { readonly clock: Clock },
): PhaseTimer {
  const controller = new AbortController()
  const arm = (phase: Phase, ms: number): Timer =>
    clock.after(ms, () =>
      controller.abort(
        new SluiceError('model_timeout', `the model: ${phase} took longer than ${ms} ms`, { details: { phase } }),
      ),
    )
  const total = arm('total', totalMs)
  let current: Timer | undefined
  return {
    signal: controller.signal,
    enter: (phase, ms) => {
      current?.cancel()
      current = arm(phase, ms)
    },
    stop: () => {
      current?.cancel()
      total.cancel()
    },
  }
}
