// POST /v1/memory/remember

import type { FastifyInstance } from 'fastify'
import { answerOnce, idempotencyKeyOf, type HttpContext } from '../../../shared/function/index.ts'
import { memoryService } from '../function.ts'
import type { Identify } from '../identity.ts'
import { rememberBody, type RememberBody } from '../request-schemas.ts'
import { rememberMemory } from '../write-memory.ts'

export interface RememberRouteDeps {
  readonly identify: Identify
  readonly context: Pick<HttpContext, 'transaction'>
}

export function addRememberRoute(app: FastifyInstance, { identify, context }: RememberRouteDeps): void {
  app.post<{ Body: RememberBody }>(
    '/v1/memory/remember',
    { schema: { body: rememberBody } },
    async (request, reply) => {
      const { tenant } = identify(request)
      const once = { tenant, key: idempotencyKeyOf(request), function: memoryService.name }
      const { status, body } = await context.transaction(
        (effects) =>
          answerOnce(effects, { ...once, route: 'remember', asked: request.body }, async (open) => ({
            status: 201,
            body: await rememberMemory(open, tenant, request.body),
          })),
        { tenant },
      )
      void reply.code(status)
      return body
    },
  )
}
