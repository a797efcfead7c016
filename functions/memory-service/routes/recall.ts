// POST /v1/memory/recall

import type { FastifyInstance } from 'fastify'
import type { Queryable } from '../../../shared/database/index.ts'
import type { HttpContext } from '../../../shared/function/index.ts'
import { parsePosition } from '../../../shared/memory/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import { findMemories } from '../find-memories.ts'
import type { Identify } from '../identity.ts'
import { reachPosition } from '../reach-position.ts'
import { recallBody, type RecallBody } from '../request-schemas.ts'

export interface RecallRouteDeps {
  readonly identify: Identify
  readonly database: Queryable
  readonly clock: Clock
  readonly context: Pick<HttpContext, 'draining'>
}

export function addRecallRoute(app: FastifyInstance, { identify, database, clock, context }: RecallRouteDeps): void {
  app.post<{ Body: RecallBody }>('/v1/memory/recall', { schema: { body: recallBody } }, async (request) => {
    const { tenant } = identify(request)
    const { after, wait_ms: waitMs } = request.body
    const position = after === undefined ? undefined : parsePosition(after)
    if (position !== undefined) {
      await reachPosition({ tenant, position, waitMs, signal: context.draining }, { database, clock })
    }
    return { memories: await findMemories(database, tenant, request.body) }
  })
}
