// Every error of an HTTP function as a problem document: our own by their code, Fastify's by what they mean. What nobody
// foresaw is 500, logged with its stack, and tells the caller nothing but the trace id.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { classifyError, isDatabaseBusy, messageOf, SluiceError, sqlState, type ErrorCode } from '../../errors/index.ts'
import { newTrace, type Logger } from '../../telemetry/index.ts'
import { problemContentType, problemOf, retryAfterSeconds, type ProblemFacts } from '../problem.ts'

const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'invalid_parameter',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'unsupported_media_type',
  FST_ERR_ASYNC_CONSTRAINT: 'invalid_parameter',
}

export const createErrorHandler =
  ({ log }: { readonly log: Logger }) =>
  (error: FastifyError | SluiceError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { traceId } = request.trace
    if (error instanceof SluiceError) return sendSluiceError(error, request, reply)
    if (error.validation !== undefined) return sendProblem(reply, { traceId, ...describeValidation(error, request) })
    const code = fastifyCodes[error.code]
    if (code !== undefined) return sendProblem(reply, { code, traceId })
    return sendUnforeseen(error, { traceId, reply, log })
  }

function sendSluiceError(
  { code, retryAfterMs, retryable, status, details }: SluiceError,
  { headers, trace: { traceId } }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (code === 'unauthenticated')
    void reply.header(
      'www-authenticate',
      headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
    )
  const afterMs = retryAfterMs ?? (retryable && (status === 503 || status === 429) ? 1_000 : undefined)
  if (afterMs !== undefined) void reply.header('retry-after', String(retryAfterSeconds(afterMs)))
  return sendProblem(reply, { code, traceId, details })
}

interface Unforeseen {
  readonly traceId: string
  readonly reply: FastifyReply
  readonly log: Logger
}

function sendUnforeseen(error: Error, { traceId, reply, log }: Unforeseen): FastifyReply {
  const verdict = classifyError(error)
  const isLost = verdict.kind === 'database-lost'
  if (isLost || isDatabaseBusy(sqlState(error))) {
    return sendProblem(reply.header('retry-after', '1'), { code: isLost ? verdict.code : 'database_busy', traceId })
  }
  // No await between the hook and here is promised, so the trace is given and not looked up.
  log.error({ trace_id: traceId, code: 'internal', reason: messageOf(error), stack: error.stack }, 'a route failed')
  return sendProblem(reply, { code: 'internal', traceId })
}

/** What is wrong with the form of a request: 422, and 400 where a parameter is given twice and parsers would disagree. */
function describeValidation(
  { validation, validationContext }: FastifyError,
  request: FastifyRequest,
): Pick<ProblemFacts, 'code' | 'details'> {
  const [first] = validation ?? []
  // Names that the sender chose are not repeated (ASVS V16.5.1), so only plain ones are.
  const path = (first?.instancePath ?? '').split('/').slice(1, 9)
  const shown = path.map((name) => (/^[a-z0-9_]{1,32}$/i.test(name) ? name : '*'))
  const [parameter = ''] = path
  const twice =
    validationContext === 'querystring' && Array.isArray((request.query as Record<string, unknown>)[parameter])
  if (twice)
    return { code: 'invalid_parameter', details: { detail: `${['querystring', ...shown].join('.')} is given twice` } }
  return {
    code: 'invalid_request',
    details: { detail: `${[validationContext ?? 'request', ...shown].join('.')} ${first?.message ?? 'does not fit'}` },
  }
}

export function sendProblem(reply: FastifyReply, facts: ProblemFacts): FastifyReply {
  const problem = problemOf(facts)
  // Bytes, because Fastify adds a charset to text, and the media type has none (RFC 9457 §6.1).
  return reply
    .code(problem.status)
    .header('content-type', problemContentType)
    .send(Buffer.from(JSON.stringify(problem)))
}

/** For errors before there is a route, such as a URL that cannot be decoded. */
export function frameworkProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  void sendProblem(reply, { code: fastifyCodes[error.code] ?? 'malformed_request', traceId: newTrace().traceId })
}
