// What becomes of a turn whose model call failed: another try while one can help, else an end with a reason the person sees.
// An open breaker costs no attempt: the event waits for the model until the turn's time is over.

import { SluiceError, type ErrorCode } from '../../shared/errors/index.ts'
import { backoffDelay, type BackoffOptions } from '../../shared/time/index.ts'
import type { FailReason } from './turn-changes.ts'

export interface FailureContext {
  /** 1 for the first run of the event. */
  readonly attempt: number
  readonly attempts: number
  readonly backoff: BackoffOptions
  /** Until the turn's deadline, in milliseconds. */
  readonly remainingMs: number
  readonly random: () => number
}

export type FailureVerdict =
  | { readonly kind: 'retry'; readonly afterMs: number; readonly reason: FailReason }
  | { readonly kind: 'wait'; readonly reason: FailReason }
  | { readonly kind: 'fail'; readonly reason: FailReason }

/** Least time a new try needs to be worth beginning, in milliseconds. */
const leastTryMs = 1_000

export function judgeModelFailure(error: unknown, context: FailureContext): FailureVerdict {
  const reason = reasonOf(error)
  const retryable = !(error instanceof SluiceError) || error.retryable
  const asked = error instanceof SluiceError ? error.retryAfterMs : undefined
  const afterMs = asked ?? backoffDelay(context.backoff, context.attempt, context.random)
  const inTime = afterMs + leastTryMs < context.remainingMs
  if (error instanceof SluiceError && error.code === 'circuit_open' && inTime) return { kind: 'wait', reason }
  return retryable && inTime && context.attempt < context.attempts
    ? { kind: 'retry', afterMs, reason }
    : { kind: 'fail', reason }
}

const reasons: Readonly<Partial<Record<ErrorCode, FailReason>>> = {
  model_rate_limited: 'model_rate_limited',
  model_overloaded: 'model_overloaded',
  model_unavailable: 'model_unavailable',
  model_timeout: 'model_timeout',
  model_context_too_long: 'model_context_too_long',
  model_auth: 'model_auth',
  model_bad_request: 'model_bad_request',
  model_malformed: 'model_malformed',
  model_cut: 'model_cut',
  response_too_large: 'model_malformed',
  circuit_open: 'model_unavailable',
  dependency_failed: 'model_unavailable',
  dependency_timeout: 'model_timeout',
  overloaded: 'model_overloaded',
  deadline_exceeded: 'deadline_exceeded',
}

export const reasonOf = (error: unknown): FailReason =>
  (error instanceof SluiceError ? reasons[error.code] : undefined) ?? 'internal'
