// GET /v1/sessions, /v1/sessions/{id}, /v1/sessions/{id}/events.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Queryable } from '../../../shared/database/index.ts'
import type { Identify } from '../identity/identity.ts'
import { eventsQuery, sessionParams, sessionsQuery } from '../request-schemas.ts'
import { listSessions, readBounds, readEvents, readSession, type SessionKey } from '../session-queries.ts'

export interface SessionRoutesDeps {
  readonly identify: Identify
  readonly database: Queryable
}

type EventsRequest = FastifyRequest<{ Params: { session_id: string }; Querystring: { after?: number; limit: number } }>

export function addSessionRoutes(app: FastifyInstance, { identify, database }: SessionRoutesDeps): void {
  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/v1/sessions',
    { schema: { querystring: sessionsQuery } },
    async (request) => {
      const { tenant } = await identify(request)
      const { limit, cursor } = request.query
      return listSessions(database, tenant, { limit, cursor })
    },
  )

  app.get<{ Params: { session_id: string } }>(
    '/v1/sessions/:session_id',
    { schema: { params: sessionParams } },
    async (request) => {
      const { tenant } = await identify(request)
      return readSession(database, { tenant, sessionId: request.params.session_id })
    },
  )

  app.get(
    '/v1/sessions/:session_id/events',
    { schema: { params: sessionParams, querystring: eventsQuery } },
    async (request: EventsRequest) => {
      const { tenant } = await identify(request)
      return readPage({ tenant, sessionId: request.params.session_id }, request.query)
    },
  )

  async function readPage(key: SessionKey, { after = 0, limit }: EventsRequest['query']): Promise<object> {
    const [, events] = await Promise.all([readBounds(database, key), readEvents(database, key, { after, limit })])
    return { session_id: key.sessionId, events, next_after: events.at(-1)?.position ?? after }
  }
}
