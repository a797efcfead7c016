// Problem documents (RFC 9457): the one shape of every error answer. They carry a code from the closed list and the trace
// id, never the input, a stack or an address (OWASP ASVS V16.5.1).

import { errorCodes, type ErrorCode } from '../errors/index.ts'

export const problemContentType = 'application/problem+json'

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly trace_id: string
  readonly [fact: string]: string | number | boolean
}

export interface ProblemFacts {
  readonly code: ErrorCode
  readonly traceId: string
  /** Where the answer differs from what the code usually means. */
  readonly status?: number
  /** Further members; they cannot replace the standard ones. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

export function problemOf({ code, traceId, status, details = {} }: ProblemFacts): Problem {
  const meaning = errorCodes[code]
  return {
    ...details,
    type: `urn:sluice:error:${code}`,
    title: meaning.title,
    status: status ?? meaning.status,
    code,
    trace_id: traceId,
  }
}

/** Whole seconds for a Retry-After header, at least 1. */
export const retryAfterSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))
