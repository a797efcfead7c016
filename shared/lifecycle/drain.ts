// The way out, as a list of named steps run in order. A step that fails or runs out of time does not keep the later ones
// from running: a pool that hangs must not cost the outbox its flush. What the steps did is the drain receipt.

import { messageOf, SluiceError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { createDeadline, type Clock } from '../time/index.ts'

export interface DrainStep {
  readonly name: string
  /** Longest run, in milliseconds; the time left of the whole drain if that is less. */
  readonly withinMs?: number
  /** `signal` aborts when the step's time is over; a step that ignores it is left behind. */
  run(signal: AbortSignal): Promise<void> | void
}

/** What a drain did. Ids are those of deliveries or requests. Logged with `shutdown complete`. */
export interface DrainReceipt {
  readonly finished: readonly string[]
  /** Not finished in time and handed back: another process will do them. */
  readonly released: readonly string[]
  readonly flushedEvents: number
  /** Steps that failed or ran out of time. */
  readonly failedSteps: readonly string[]
  /** Did anything run out of its part of the time? Then the limit was hit, and something was left undone. */
  readonly timedOut: boolean
  readonly seconds: number
}

export interface DrainOutcome {
  /** Names of the steps that failed or ran out of time. */
  readonly failed: readonly string[]
  readonly timedOut: boolean
}

export async function runDrain(
  steps: readonly DrainStep[],
  { totalMs }: { readonly totalMs: number },
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<DrainOutcome> {
  const end = clock.monotonic() + totalMs
  const failed: string[] = []
  let timedOut = false
  for (const step of steps) {
    const { name, withinMs = totalMs } = step
    const ms = Math.max(0, Math.min(withinMs, end - clock.monotonic()))
    const deadline = createDeadline({ ms, what: `drain step '${name}'` }, { clock })
    try {
      await Promise.race([Promise.resolve(step.run(deadline.signal)), rejectOnAbort(deadline.signal)])
    } catch (error) {
      failed.push(name)
      const code = error instanceof SluiceError ? error.code : 'internal'
      timedOut ||= code === 'deadline_exceeded'
      log.error({ step: name, code, reason: messageOf(error) }, 'a drain step failed')
    } finally {
      deadline.cancel()
    }
  }
  return { failed, timedOut }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
