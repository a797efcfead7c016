// Tries again within a request. There is one retry layer per call: whoever is retried by delivery does not use this.
//
// R1  At most three attempts, whatever was asked for.
// R2  Only errors that say so are retried, and only while the budget of the dependency allows it.
// R3  A Retry-After is obeyed to the millisecond; one longer than `longestWaitMs` is handed to the caller instead.

import { SluiceError } from '../errors/index.ts'
import { backoffDelay, type BackoffOptions, type Clock } from '../time/index.ts'
import type { RetryBudget } from './retry-budget.ts'

export interface RetryOptions {
  /** 1 to 3, the first try included. */
  readonly attempts: number
  readonly backoff: BackoffOptions
  readonly budget: RetryBudget
  /** Longest Retry-After that is waited for here, in milliseconds. Default: `backoff.maxMs`. */
  readonly longestWaitMs?: number
  /** Default: a SluiceError whose code is retryable. */
  readonly isRetryable?: (error: unknown) => boolean
  /** Told before each wait. */
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void
  readonly signal?: AbortSignal
}

const mostAttempts = 3

/** Resolves with the first success; otherwise throws the error of the last attempt. */
export async function retry<T>(
  options: RetryOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const { budget, isRetryable = isRetryableError, onRetry, signal } = options
  const attempts = Math.min(mostAttempts, options.attempts)
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted()
    try {
      const result = await work(attempt)
      budget.succeeded()
      return result
    } catch (error) {
      if (signal?.aborted === true || !isRetryable(error)) throw error
      budget.failed()
      const waitMs = waitAfter(error, backoffDelay(options.backoff, attempt, random), options)
      if (attempt >= attempts || waitMs === undefined || !budget.allowsRetry()) throw error
      onRetry?.(error, attempt, waitMs)
      await clock.sleep(waitMs, signal)
    }
  }
}

/** `undefined`: the dependency asked for a longer pause than a request may wait. */
function waitAfter(error: unknown, delayMs: number, options: RetryOptions): number | undefined {
  const asked = error instanceof SluiceError ? error.retryAfterMs : undefined
  if (asked === undefined) return delayMs
  return asked > (options.longestWaitMs ?? options.backoff.maxMs) ? undefined : Math.max(asked, delayMs)
}

const isRetryableError = (error: unknown): boolean =>
  error instanceof SluiceError && error.retryable && error.code !== 'aborted' && error.code !== 'circuit_open'
