// What Node's parser refused before there was a request: broken or smuggled framing, a head over the limit, a sender that
// is too slow. The connection ends, since nothing that follows on it can be trusted (RFC 9112 §11.2).

import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import { errorCodes, type ErrorCode } from '../../errors/index.ts'
import { newTrace } from '../../telemetry/index.ts'
import { problemContentType, problemOf } from '../problem.ts'

/** Writes the whole answer in one packet and closes. Returns the code, or undefined when the peer is gone already. */
export function answerClientError(error: Error, socket: Duplex): ErrorCode | undefined {
  const reason = 'code' in error ? error.code : undefined
  if (reason === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return undefined
  }
  const code = codeOf(reason)
  const { status } = errorCodes[code]
  const body = JSON.stringify(problemOf({ code, traceId: newTrace().traceId }))
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${problemContentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
  return code
}

function codeOf(reason: unknown): ErrorCode {
  if (reason === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (reason === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large'
  if (reason === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout'
  return 'malformed_request'
}
