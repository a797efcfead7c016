// GET /v1/session/{id}/events: the session as a stream of server-sent events, resumable from any instance.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Queryable } from '../../../shared/database/index.ts'
import { messageOf, SluiceError } from '../../../shared/errors/index.ts'
import type { HttpContext } from '../../../shared/function/index.ts'
import type { Channel } from '../../../shared/key-value/index.ts'
import { formatTraceparent } from '../../../shared/telemetry/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import type { Identify } from '../identity/identity.ts'
import { sessionParams, streamQuery } from '../request-schemas.ts'
import { readBounds, type SessionBounds } from '../session-queries.ts'
import { followSession, waitingFor } from '../stream/follow-session.ts'
import { subscribeSession, type SessionSignals } from '../stream/session-signals.ts'
import { createSseWriter, type SseWriter, type SseWriterOptions } from '../stream/sse-writer.ts'
import type { StreamLimit } from '../stream/stream-limit.ts'
import { createStreamMeter, type StreamInstruments } from '../stream/stream-meter.ts'

export interface StreamRoutesDeps {
  readonly identify: Identify
  readonly channel: Channel
  readonly database: Queryable
  readonly clock: Clock
  readonly instruments: StreamInstruments
  readonly limit: StreamLimit
  readonly sse: SseWriterOptions
  readonly pollMs?: number
  readonly context: Pick<HttpContext, 'openStream' | 'log'>
}

interface Reading {
  /** When the proof of who reads runs out. */
  readonly untilMs: number
  readonly signals: SessionSignals
}

type StreamRequest = FastifyRequest<{ Params: { session_id: string }; Querystring: { after?: number } }>

export function addStreamRoutes(app: FastifyInstance, deps: StreamRoutesDeps): void {
  const { identify, database, clock, limit, sse, context } = deps
  const meter = createStreamMeter(deps.instruments)
  app.get(
    '/v1/session/:session_id/events',
    { schema: { params: sessionParams, querystring: streamQuery } },
    async (request: StreamRequest, reply) => {
      const { tenant, untilMs = Infinity } = await identify(request)
      const key = { tenant, sessionId: request.params.session_id }
      const asked = positionOf(request)
      const bounds = await readBounds(database, key)
      const after = checkedPosition(asked, bounds)
      const leave = limit.enter(key.tenant)
      const signals = await subscribeSession(key, deps).catch((error: unknown) => {
        leave()
        throw error
      })
      const writer = begin(request, reply, { untilMs, signals })
      const polling = deps.pollMs === undefined ? {} : { pollMs: deps.pollMs }
      try {
        await followSession(writer, { key, after, bufferBytes: sse.bufferBytes, ...polling }, { database, signals })
      } catch (error) {
        const facts = { trace_id: request.trace.traceId, reason: messageOf(error) }
        context.log.warn(facts, 'a stream was ended; its client comes again')
      } finally {
        writer.end('failed')
        leave()
        await signals.stop()
      }
    },
  )

  /** A stream ends with the proof of who reads it. */
  function begin(request: StreamRequest, reply: FastifyReply, { untilMs, signals }: Reading): SseWriter {
    reply.hijack()
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      traceresponse: formatTraceparent(request.trace),
    })
    const onEnd = meter.opened(() => waitingFor(writer, signals))
    const longestMs = Math.min(sse.longestMs, untilMs - clock.now())
    const writer = createSseWriter(reply.raw, { ...sse, longestMs }, { clock, onEnd })
    context.openStream(request, () => writer.end('draining'))
    return writer
  }
}

/** Undefined: from the first event that is kept. @throws SluiceError `invalid_parameter` for a Last-Event-ID that is no position. */
function positionOf({ headers, query }: StreamRequest): number | undefined {
  const last = headers['last-event-id']
  if (last === undefined || last === '') return query.after
  if (typeof last === 'string' && /^\d{1,15}$/.test(last)) return Number(last)
  throw new SluiceError('invalid_parameter', 'Last-Event-ID is not a position', {
    details: { detail: 'Last-Event-ID is not a position' },
  })
}

/** @throws SluiceError `gone` when events after it were pruned, `not_found` when the session has never come that far. */
function checkedPosition(asked: number | undefined, { first, last }: SessionBounds): number {
  const position = asked ?? first - 1
  if (position > last) {
    throw new SluiceError('not_found', 'The session has not come that far', {
      details: { detail: 'the position is ahead of the session' },
    })
  }
  if (position + 1 < first) {
    throw new SluiceError('gone', 'Events after this position are not kept any more', {
      details: { resync: true, after: first - 1 },
    })
  }
  return position
}
