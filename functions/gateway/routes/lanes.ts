// /v1/admin/lanes: the tenant's lanes – list, one, release, skip. A lane is the tenant's whose event is at its head.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Database } from '../../../shared/database/index.ts'
import {
  listLanes,
  readLane,
  releaseLane,
  skipHead,
  type LaneHead,
  type Outbox,
} from '../../../shared/delivery/index.ts'
import type { HttpContext } from '../../../shared/function/index.ts'
import type { AdmitOperator } from '../admit-operator.ts'
import { headBody, laneParams, laneQuery, lanesQuery, type LaneParams, type LanesQuery } from '../lane-schemas.ts'

export interface LaneRoutesDeps {
  readonly admit: AdmitOperator
  readonly database: Database
  readonly outbox: Outbox
  readonly context: Pick<HttpContext, 'log'>
}

interface AboutHead {
  Params: LaneParams
  Body: { readonly position?: number }
}

const path = '/v1/admin/lanes'
const one = `${path}/:function/:key`

export function addLaneRoutes(
  app: FastifyInstance,
  { admit, database, outbox, context: { log } }: LaneRoutesDeps,
): void {
  app.get<{ Querystring: LanesQuery }>(path, { schema: { querystring: lanesQuery } }, async (request) => {
    const { tenant } = await admit(request)
    return listLanes(database, { ...request.query, tenant })
  })

  app.get<{ Params: LaneParams; Querystring: { limit: number } }>(
    one,
    { schema: { params: laneParams, querystring: laneQuery } },
    async (request) => {
      const { tenant } = await admit(request)
      return readLane(database, { ...request.params, tenant, most: request.query.limit })
    },
  )

  const schema = { params: laneParams, body: headBody }
  /** The body may be left out. */
  const preValidation = async (request: FastifyRequest): Promise<void> => {
    request.body ??= {}
  }

  app.post<AboutHead>(`${one}/release`, { schema, preValidation }, async (request) => {
    const { tenant } = await admit(request)
    await releaseLane(database, headOf(request, tenant))
    log.info({ ...request.params, security: 'lane_released', tenant }, 'a lane was released')
    return { ...request.params, released: true }
  })

  app.post<AboutHead>(`${one}/skip`, { schema, preValidation }, async (request) => {
    const { tenant } = await admit(request)
    const skipped = await skipHead(headOf(request, tenant), { database, outbox })
    log.info({ ...request.params, security: 'lane_skipped', tenant, event_id: skipped.id }, 'a head was skipped')
    return { ...request.params, skipped }
  })
}

interface HeadRequest {
  readonly params: LaneParams
  readonly body: AboutHead['Body']
}

const headOf = ({ params, body }: HeadRequest, tenant: string): LaneHead => ({
  ...params,
  tenant,
  position: body.position,
})
