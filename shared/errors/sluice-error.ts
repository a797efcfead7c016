// The one error type that crosses module borders. The message names the value at fault and the remedy; the cause is attached.

import { errorCodes, type ErrorCode } from './error-codes.ts'

export interface SluiceErrorOptions {
  readonly cause?: unknown
  /** Earliest useful next try, in milliseconds from now; from a dependency's Retry-After where there is one. */
  readonly retryAfterMs?: number
  /** Facts for logs and problem documents; never secrets, never the input itself. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

export class SluiceError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly details: Readonly<Record<string, string | number | boolean>>

  constructor(code: ErrorCode, message: string, { cause, retryAfterMs, details = {} }: SluiceErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SluiceError'
    this.code = code
    this.retryAfterMs = retryAfterMs
    this.details = details
  }

  /** May the same input succeed later without anyone changing it? Follows from the code. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }

  /** The HTTP status where this error ends a request. Follows from the code. */
  get status(): number {
    return errorCodes[this.code].status
  }
}

/** Thrown by a handler: try this event again, not before `afterMs`; counts as an attempt. */
export class RetryLaterError extends SluiceError {
  constructor({
    afterMs,
    reason,
    cause,
  }: {
    readonly afterMs?: number
    readonly reason: string
    readonly cause?: unknown
  }) {
    super('retry_later', reason, { cause, ...(afterMs === undefined ? {} : { retryAfterMs: afterMs }) })
    this.name = 'RetryLaterError'
  }
}

/** Thrown by a handler: this event can never succeed; it becomes a dead letter at once. */
export class RejectedError extends SluiceError {
  constructor({
    code = 'rejected',
    reason,
    cause,
  }: {
    readonly code?: ErrorCode
    readonly reason: string
    readonly cause?: unknown
  }) {
    super(code, reason, { cause })
    this.name = 'RejectedError'
  }
}
