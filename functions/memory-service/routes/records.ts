// GET and DELETE /v1/memory/{key}, POST /v1/memory/{key}/restate. Reads see what was written, not what the replica has.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Queryable } from '../../../shared/database/index.ts'
import type { Effects } from '../../../shared/delivery/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { answerOnce, idempotencyKeyOf, type HttpContext } from '../../../shared/function/index.ts'
import { formatPosition } from '../../../shared/memory/index.ts'
import { memoryService } from '../function.ts'
import type { Identify } from '../identity.ts'
import { keyParams } from '../request-schemas.ts'
import { forgetMemory, restateMemory, type Written } from '../write-memory.ts'

export interface RecordRoutesDeps {
  readonly identify: Identify
  readonly database: Queryable
  readonly context: Pick<HttpContext, 'transaction'>
}

interface Change {
  readonly route: string
  readonly change: (effects: Effects, tenant: string, key: string) => Promise<Written>
}

interface Keyed {
  Params: { readonly key: string }
}

export function addRecordRoutes(app: FastifyInstance, { identify, database, context }: RecordRoutesDeps): void {
  const schema = { params: keyParams }
  app.get<Keyed>('/v1/memory/:key', { schema }, (request) =>
    readMemory(database, identify(request).tenant, request.params.key),
  )
  app.delete<Keyed>('/v1/memory/:key', { schema }, (request, reply) =>
    write(request, reply, { route: 'forget', change: forgetMemory }),
  )
  app.post<Keyed>('/v1/memory/:key/restate', { schema }, (request, reply) =>
    write(request, reply, { route: 'restate', change: restateMemory }),
  )

  async function write(
    request: FastifyRequest<Keyed>,
    reply: FastifyReply,
    { route, change }: Change,
  ): Promise<object> {
    const { tenant } = identify(request)
    const { key } = request.params
    const once = { tenant, key: idempotencyKeyOf(request), function: memoryService.name, route, asked: key }
    const { status, body } = await context.transaction(
      (effects) => answerOnce(effects, once, async (open) => ({ status: 200, body: await change(open, tenant, key) })),
      { tenant },
    )
    void reply.code(status)
    return body
  }
}

interface RecordRow {
  readonly sequence: number
}

/** @throws SluiceError `not_found`, also for a memory of another tenant. */
async function readMemory(database: Queryable, tenant: string, key: string): Promise<object> {
  const { rows } = await database.query<RecordRow>(readSql, [tenant, key])
  const [row] = rows
  if (row === undefined) throw new SluiceError('not_found', 'There is no such memory')
  const { sequence, ...memory } = row
  return { ...memory, position: formatPosition({ key, sequence }) }
}

const readSql = `
  SELECT key, sequence, namespace, session_id, content, language, metadata, created_at, written_at
  FROM agent.memory_record WHERE tenant = $1 AND key = $2 AND NOT deleted`
