// /v1/admin/dead-letters: the tenant's dead letters – list, plan, one, dry run, replay, discard.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Database } from '../../../shared/database/index.ts'
import {
  discardDeadLetters,
  listDeadLetters,
  planReplay,
  readDeadLetter,
  replayDeadLetters,
  requestDryRun,
  type DeadLetterState,
  type DryRunDeps,
} from '../../../shared/delivery/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { HttpContext } from '../../../shared/function/index.ts'
import { memoryWork } from '../../../shared/memory/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import type { AdmitOperator } from '../admit-operator.ts'
import {
  deadLetterParams,
  deadLettersQuery,
  discardBody,
  planQuery,
  reasonBody,
  replayBody,
  type DiscardBody,
  type FilterFields,
  type ReplayBody,
} from '../admin-schemas.ts'

export interface DeadLetterRoutesDeps {
  readonly admit: AdmitOperator
  readonly database: Pick<Database, 'query' | 'notify' | 'transaction'>
  readonly clock: Clock
  readonly outbound: DryRunDeps['outbound']
  readonly functionUrl: DryRunDeps['functionUrl']
  readonly context: Pick<HttpContext, 'draining'>
}

interface ListQuery extends FilterFields {
  readonly state: DeadLetterState
  readonly limit: number
  readonly cursor?: string
}

const path = '/v1/admin/dead-letters'
const one = `${path}/:dead_letter_id`
const dryRunMs = 60_000
/** For a single one: as long as the answer of a request may reasonably take. */
const patienceMs = 10_000

type About = { Params: { dead_letter_id: string } }

export function addDeadLetterRoutes(app: FastifyInstance, deps: DeadLetterRoutesDeps): void {
  const { admit, database, context } = deps

  app.get<{ Querystring: ListQuery }>(path, { schema: { querystring: deadLettersQuery } }, async (request) => {
    const { tenant } = await admit(request)
    const { limit, cursor, ...filter } = request.query
    return listDeadLetters(database, { ...filter, tenant }, { limit, cursor })
  })

  app.get<{ Querystring: FilterFields }>(`${path}/plan`, { schema: { querystring: planQuery } }, async (request) => {
    const { tenant } = await admit(request)
    return planReplay(database, { ...request.query, tenant }, memoryWork)
  })

  app.get<About>(one, { schema: { params: deadLetterParams } }, async (request) => {
    const { tenant } = await admit(request)
    const { raw, ...letter } = await readDeadLetter(database, { id: request.params.dead_letter_id, tenant })
    return { ...letter, raw_base64: raw.toString('base64') }
  })

  app.post<About>(`${one}/dry-run`, { schema: { params: deadLetterParams } }, async (request) => {
    const { tenant } = await admit(request)
    const signal = AbortSignal.any([context.draining, AbortSignal.timeout(dryRunMs)])
    return requestDryRun({ id: request.params.dead_letter_id, tenant }, { ...deps, signal })
  })

  app.post<About & { Body: { reason: string } }>(
    `${one}/replay`,
    { schema: { params: deadLetterParams, body: reasonBody } },
    async (request) => {
      const ids = [request.params.dead_letter_id]
      const report = await replay(request, { ids, reason: request.body.reason, patience_ms: patienceMs })
      const [refused] = report.kinds.flatMap((kind) => kind.refused)
      if (refused !== undefined) throw refusedLetter(refused)
      return report
    },
  )

  app.post<About & { Body: { reason: string } }>(
    `${one}/discard`,
    { schema: { params: deadLetterParams, body: reasonBody } },
    async (request) => {
      const { tenant } = await admit(request)
      const filter = { ids: [request.params.dead_letter_id] }
      const operator = { by: operatorOf(tenant), reason: request.body.reason, tenant }
      const report = await discardDeadLetters({ filter, operator }, database)
      const [refused] = report.refused
      if (refused !== undefined) throw refusedLetter(refused)
      return report
    },
  )

  app.post<{ Body: ReplayBody }>(`${path}/replay`, { schema: { body: replayBody } }, (request) =>
    replay(request, request.body),
  )

  app.post<{ Body: DiscardBody }>(`${path}/discard`, { schema: { body: discardBody } }, async (request) => {
    const { tenant } = await admit(request)
    const { reason, limit = 100, ...filter } = request.body
    const operator = { by: operatorOf(tenant), reason, tenant }
    return discardDeadLetters({ filter: { ...filter, tenant }, operator, limit }, database)
  })

  async function replay(request: FastifyRequest, body: ReplayBody) {
    const { tenant } = await admit(request)
    const { reason, limit = 100, per_second = 10, patience_ms = 10_000, ...filter } = body
    const options = {
      filter: { ...filter, tenant },
      operator: { by: operatorOf(tenant), reason, tenant },
      limit,
      perSecond: per_second,
      patienceMs: patience_ms,
    }
    return replayDeadLetters(options, { ...deps, works: memoryWork }, context.draining)
  }
}

const operatorOf = (tenant: string): string => `gateway:${tenant}`

function refusedLetter({ reason, message }: { readonly reason: string; readonly message: string }): SluiceError {
  if (reason === 'not_found') return new SluiceError('not_found', message)
  return new SluiceError('conflict', message, { details: { reason, detail: message } })
}
