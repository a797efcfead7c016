// What a failed run means for its event. The one place that weighs a verdict against the attempts that are left.

import { classifyError, type ErrorCode } from '../../errors/index.ts'
import { backoffDelay } from '../../time/index.ts'
import type { DeliveryContract } from '../contract.ts'

export type Failure =
  /** Nothing can be recorded now. */
  | { readonly kind: 'lost'; readonly code: ErrorCode; readonly message: string }
  /** Another run has the lane. */
  | { readonly kind: 'superseded'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'dead'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'retry'; readonly code: ErrorCode; readonly message: string; readonly delayMs: number }

export interface FailedRun {
  readonly error: unknown
  /** This run included. */
  readonly attempt: number
}

/** Longest delay that a handler or a dependency may ask for, in milliseconds. */
const longestDelayMs = 24 * 3_600_000

export function judgeFailure(
  { error, attempt }: FailedRun,
  { delivery }: Pick<DeliveryContract, 'delivery'>,
  random: () => number,
): Failure {
  const verdict = classifyError(error)
  const { kind, code, message } = verdict
  if (kind === 'database-lost') return { kind: 'lost', code, message }
  if (code === 'lease_lost') return { kind: 'superseded', code, message }
  if (kind === 'reject' || attempt >= delivery.attempts) return { kind: 'dead', code, message }
  const delayMs = Math.ceil(verdict.afterMs ?? backoffDelay(delivery.backoff, attempt, random))
  return { kind: 'retry', code, message, delayMs: Math.min(longestDelayMs, Math.max(0, delayMs)) }
}
