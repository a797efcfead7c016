// Turns what undici, sockets and aborted signals throw into errors of the closed list. Messages name the dependency and
// the kind of failure, never an address or a URL.

import { errors } from 'undici'
import { SluiceError, messageOf, type ErrorCode } from '../../errors/index.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'dependency_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'dependency_timeout',
  UND_ERR_BODY_TIMEOUT: 'dependency_timeout',
  ETIMEDOUT: 'dependency_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'response_too_large',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'response_too_large',
  HPE_HEADER_OVERFLOW: 'response_too_large',
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_NOT_SUPPORTED: 'invalid_request',
}

/** Failures of the connection itself: no byte of an answer was read, or the socket died under it. */
const connectionCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'])

export function toOutboundError(error: unknown, dependency: string, signal?: AbortSignal): SluiceError {
  if (error instanceof SluiceError) return error
  if (signal?.aborted === true) {
    const { reason } = signal as { readonly reason: unknown }
    return reason instanceof SluiceError
      ? reason
      : new SluiceError('aborted', `the request to ${dependency} was cancelled`, { cause: error })
  }
  const native = codeOf(error)
  const code = codes[native] ?? 'dependency_failed'
  return new SluiceError(code, `${dependency}: ${native === '' ? messageOf(error) : native}`, {
    cause: error,
    details: { native },
  })
}

/** Did the connection fail, as opposed to an answer that was slow, too large or not HTTP? */
export const isConnectionFailure = (error: unknown): boolean =>
  error instanceof SluiceError && connectionCodes.has(String(error.details['native'] ?? ''))

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (error instanceof errors.UndiciError) return error.code
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
