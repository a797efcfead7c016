// What a failed run means for its event. The one place that weighs a verdict against the attempts that are left.

import { classifyError, type ErrorCode } from '../../errors/index.ts'
import { backoffDelay } from '../../time/index.ts'
import { createRedact } from '../../telemetry/index.ts'
import type { DeliveryContract } from '../contract.ts'
import type { DeliveryDeps } from '../deps.ts'

export type Failure =
  /** Nothing can be recorded now. */
  | { readonly kind: 'lost'; readonly code: ErrorCode; readonly message: string }
  /** Another run has the lane. */
  | { readonly kind: 'superseded'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'dead'; readonly code: ErrorCode; readonly message: string }
  /** No attempt is left, and the lane waits for a person. */
  | { readonly kind: 'hold'; readonly code: ErrorCode; readonly message: string }
  /** The event is not at fault: it costs no attempt. */
  | { readonly kind: 'wait'; readonly code: ErrorCode; readonly message: string; readonly delayMs: number }
  | { readonly kind: 'retry'; readonly code: ErrorCode; readonly message: string; readonly delayMs: number }

export interface FailedRun {
  readonly error: unknown
  /** This run included. */
  readonly attempt: number
  /** What the run needed was away again. */
  readonly innocent?: boolean
}

/** Longest delay that a handler or a dependency may ask for, in milliseconds. */
const longestDelayMs = 24 * 3_600_000

const redactUnknown = createRedact()

export function judgeFailure(
  { error, attempt, innocent = false }: FailedRun,
  { delivery }: Pick<DeliveryContract, 'delivery'>,
  { random, redact = redactUnknown }: Pick<DeliveryDeps, 'random' | 'redact'>,
): Failure {
  const verdict = classifyError(error)
  const { kind, code } = verdict
  const message = redact(verdict.message) // it is stored, and shown to operators
  if (kind === 'database-lost') return { kind: 'lost', code, message }
  if (code === 'lease_lost') return { kind: 'superseded', code, message }
  const exhausted = { kind: delivery.onExhausted === 'hold' ? 'hold' : 'dead', code, message } as const
  if (code === 'attempts_exhausted') return exhausted
  if (kind === 'reject') return { kind: 'dead', code, message }
  const asked = Math.ceil(verdict.afterMs ?? backoffDelay(delivery.backoff, attempt, random))
  const delayMs = Math.min(longestDelayMs, Math.max(0, asked))
  if (innocent || code === 'circuit_open') return { kind: 'wait', code, message, delayMs }
  return attempt >= delivery.attempts ? exhausted : { kind: 'retry', code, message, delayMs }
}
