// The Fastify app of an HTTP function: limits, trace, problem documents, metrics, log lines and health around the routes.
// Order of a request: head limits → trace → drain → body (limits, JSON rules) → schema → route → one log line.

import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { SluiceError } from '../../errors/index.ts'
import {
  formatTraceparent,
  withTrace,
  type Instruments,
  type Logger,
  type TraceContext,
  type Tracer,
} from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { HttpFunction } from '../contract.ts'
import { answerClientError } from '../receiver/client-error.ts'
import type { Guard } from '../receiver/overload-guard.ts'
import { httpLimits, serverOptions, type ServerLimits } from '../server-limits.ts'
import { namesTwoHosts } from '../two-hosts.ts'
import type { Health } from '../operations/health.ts'
import { allowedMethods, collectRoutes } from './allowed-methods.ts'
import { compileSchema } from './compile-schema.ts'
import { createRequestSpans } from './request-span.ts'
import { addBodyParser, refuseEncodedBodies } from './json-body.ts'
import { createErrorHandler, frameworkProblem, sendProblem } from './error-handler.ts'

declare module 'fastify' {
  interface FastifyRequest {
    trace: TraceContext
    /** Monotonic milliseconds. */
    arrivedAtMs: number
  }
}

export interface HttpAppDeps {
  readonly clock: Clock
  readonly health: Pick<Health, 'answer'>
  readonly instruments: Pick<Instruments, 'httpRequests' | 'httpSeconds' | 'shed' | 'badTraceContexts'>
  readonly log: Logger
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
  /** Is the process draining? Then new requests get 503. */
  readonly draining: () => boolean
  /** What is full, if anything: then new requests get 503, except those of operators. */
  readonly sheds: () => 'queue' | Guard | undefined
  readonly onBegin: (request: FastifyRequest) => void
  /** Its body is there, and it was let in. */
  readonly onWork: (request: FastifyRequest) => void
  readonly onEnd: (request: FastifyRequest) => void
}

/** Not an answer: what the log and the metrics call a request whose client left first. */
const clientGone = 499
const healthPaths = ['/live', '/ready', '/health']

export function createHttpApp(
  definition: HttpFunction,
  deps: HttpAppDeps,
  limits: ServerLimits = httpLimits,
): FastifyInstance {
  const { maxHeaderSize, headersTimeout, connectionsCheckingInterval, requestTimeout, keepAliveTimeout } =
    serverOptions(limits)
  const app = fastify({
    logger: false,
    bodyLimit: definition.bodyBytes ?? limits.bodyBytes,
    routerOptions: { maxParamLength: 1_536 },
    requestTimeout,
    keepAliveTimeout,
    connectionTimeout: limits.stalledMs,
    forceCloseConnections: true,
    return503OnClosing: false, // draining answers with a problem document and Retry-After instead
    http: { maxHeaderSize, headersTimeout, connectionsCheckingInterval },
    clientErrorHandler: (error, socket) => void answerClientError(error, socket),
    frameworkErrors: frameworkProblem,
  })
  app.setValidatorCompiler(compileSchema)
  addBodyParser(app)
  const routes = collectRoutes(app)
  const spans = createRequestSpans(deps)

  app.decorateRequest('arrivedAtMs', 0)
  app.decorateRequest('trace')
  app.addHook('onRequest', (request, reply, done) => {
    request.arrivedAtMs = deps.clock.monotonic()
    const span = spans.begin(request, { recorded: !isHealth(request) })
    request.trace = span.trace
    deps.onBegin(request)
    // Also when the client leaves before its answer, or the route has taken the connection over.
    reply.raw.once('close', () => {
      deps.onEnd(request)
      observe(request, reply.raw.writableFinished ? reply.raw.statusCode : clientGone)
      spans.end(span, reply.raw.statusCode)
    })
    void reply.headers({ traceresponse: formatTraceparent(request.trace), 'x-content-type-options': 'nosniff' })
    withTrace(request.trace, () => done(refuseHead(request)))
  })

  function refuseHead(request: FastifyRequest): Error | undefined {
    if (request.url.length > limits.targetLength)
      return new SluiceError('uri_too_long', 'the request target is too long')
    if (namesTwoHosts(request.raw)) return new SluiceError('malformed_request', 'the request names two hosts')
    if (isHealth(request)) return undefined
    if (deps.draining()) return new SluiceError('draining', 'the process is shutting down', { retryAfterMs: 1_000 })
    return refuseMore(request) ?? refuseEncodedBodies(request)
  }

  function refuseMore(request: FastifyRequest): Error | undefined {
    const reason = isOperators(request) ? undefined : deps.sheds()
    if (reason === undefined) return undefined
    deps.instruments.shed.inc({ reason })
    return new SluiceError('overloaded', 'the process has as much to do as it can', { retryAfterMs: 1_000 })
  }

  // A place is taken when the body is there, so that nobody keeps one by sending slowly.
  app.addHook('preValidation', (request, _reply, done) => {
    if (isHealth(request) || isOperators(request)) return done()
    const refused = refuseMore(request)
    if (refused === undefined) deps.onWork(request)
    done(refused)
  })

  function observe(request: FastifyRequest, status: number): void {
    if (isHealth(request)) return
    const seconds = (deps.clock.monotonic() - request.arrivedAtMs) / 1_000
    deps.instruments.httpRequests.inc({ status: classOf(status) })
    deps.instruments.httpSeconds.observe(seconds, request.trace)
    const { traceId: trace_id, spanId: span_id } = request.trace
    // The route's pattern and not the path: ids do not belong into logs that are counted by field.
    const route = request.routeOptions.url ?? '(none)'
    deps.log.info(
      { trace_id, span_id, method: request.method, route, status, seconds: Math.round(seconds * 1e6) / 1e6 },
      'request answered',
    )
  }

  app.setErrorHandler(createErrorHandler(deps))
  app.setNotFoundHandler((request, reply) => {
    const allow = allowedMethods(routes, request.url)
    if (allow.length === 0 || allow.includes(request.method))
      return sendProblem(reply, { code: 'not_found', traceId: request.trace.traceId })
    return sendProblem(reply.header('allow', allow.join(', ')), {
      code: 'method_not_allowed',
      traceId: request.trace.traceId,
    })
  })
  for (const path of healthPaths) {
    app.get(path, (_request, reply) => {
      const answer = deps.health.answer(path)
      return reply
        .code(answer?.status ?? 404)
        .type('application/json')
        .header('cache-control', 'no-store')
        .send(answer?.body)
    })
  }
  return app
}

const classOf = (status: number) => `${Math.floor(status / 100) as 1 | 2 | 3 | 4 | 5}xx` as const

/** Whoever mends an overload must get in while it lasts. */
const isOperators = (request: FastifyRequest): boolean => request.routeOptions.url?.startsWith('/v1/admin/') ?? false

const isHealth = (request: FastifyRequest): boolean => healthPaths.includes(request.routeOptions.url ?? '')
