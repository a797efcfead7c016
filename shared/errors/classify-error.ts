// The one place that decides what a thrown value means. Total: any value gets a verdict, unknown ones are retryable,
// because a dead letter written by mistake costs a person and a retry costs a moment.

import { type ErrorCode } from './error-codes.ts'
import { RejectedError, SluiceError } from './sluice-error.ts'

export type Verdict =
  | { readonly kind: 'retry'; readonly code: ErrorCode; readonly message: string; readonly afterMs?: number }
  | { readonly kind: 'reject'; readonly code: ErrorCode; readonly message: string }
  /** The database is lost: nothing can be recorded, so the whole delivery is answered 503. */
  | { readonly kind: 'database-lost'; readonly code: ErrorCode; readonly message: string }

export function classifyError(error: unknown): Verdict {
  if (error instanceof RejectedError) return { kind: 'reject', code: error.code, message: error.message }
  if (error instanceof SluiceError) return classifySluiceError(error)
  const state = sqlState(error)
  if (state !== undefined) return classifySqlState(state, messageOf(error))
  const code = systemCode(error)
  if (code !== undefined && unreachable.has(code))
    return { kind: 'retry', code: 'dependency_failed', message: messageOf(error) }
  if (isAbort(error)) return { kind: 'retry', code: 'aborted', message: messageOf(error) }
  return { kind: 'retry', code: 'handler_failed', message: messageOf(error) }
}

/** A readable text for any thrown value, `undefined` and proxies with throwing getters included. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) {
      const { message, name }: Record<'message' | 'name', unknown> = error // nothing holds them to texts
      return String(message === '' ? name : message)
    }
    return typeof error === 'string' ? error : `thrown: ${String(error)}`
  } catch {
    return 'thrown: a value without a text'
  }
}

function classifySluiceError(error: SluiceError): Verdict {
  const { code, message, retryAfterMs } = error
  if (code === 'database_unavailable') return { kind: 'database-lost', code, message }
  if (!error.retryable) return { kind: 'reject', code, message }
  return retryAfterMs === undefined
    ? { kind: 'retry', code, message }
    : { kind: 'retry', code, message, afterMs: retryAfterMs }
}

function classifySqlState(state: string, message: string): Verdict {
  if (isDatabaseLost(state)) return { kind: 'database-lost', code: 'database_unavailable', message }
  // 22 data exception, 54 program limit: the value is at fault and stays so. Of all else another try may succeed, also of 23:
  // a row that violates a constraint now may fit when another transaction is over.
  if (state.startsWith('22') || state.startsWith('54')) return { kind: 'reject', code: 'database_rejected', message }
  return { kind: 'retry', code: 'handler_failed', message }
}

// PostgreSQL, Appendix A: 08 connection exception, 57P shutdown or crash, 53 insufficient resources, 58 system error.
const lostClasses = ['08', '57P', '53', '58']

/** Does this SQLSTATE say that the server is lost, and not that a statement failed? */
export const isDatabaseLost = (state: string): boolean => lostClasses.some((lost) => state.startsWith(lost))

/** Time-outs of lock or statement, deadlock, serialization: the same may succeed a moment later. */
export const isDatabaseBusy = (state: string | undefined): boolean => /^(40|55P03|57014)/.test(state ?? '')

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The five-character SQLSTATE of an error of the pg driver. */
export function sqlState(error: unknown): string | undefined {
  const code = systemCode(error)
  return code !== undefined && 'severity' in (error as object) && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
