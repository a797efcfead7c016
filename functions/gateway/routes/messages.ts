// POST /v1/session/message and /v1/session/action: take in, answer 202, tell a running worker to stop where asked.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Effects } from '../../../shared/delivery/index.ts'
import { stopChannel, type TurnStop } from '../../../shared/events/index.ts'
import { answerOnce, idempotencyKeyOf, type HttpContext } from '../../../shared/function/index.ts'
import type { Channel } from '../../../shared/key-value/index.ts'
import { acceptAction, acceptMessage, type Accepted } from '../accept.ts'
import { gateway } from '../function.ts'
import type { Identify } from '../identity/identity.ts'
import { actionBody, messageBody, type ActionBody, type MessageBody } from '../request-schemas.ts'

export interface MessageRoutesDeps {
  readonly identify: Identify
  readonly channel: Channel
  readonly context: Pick<HttpContext, 'transaction' | 'log'>
}

export function addMessageRoutes(app: FastifyInstance, { identify, channel, context }: MessageRoutesDeps): void {
  app.post<{ Body: MessageBody }>('/v1/session/message', { schema: { body: messageBody } }, (request, reply) =>
    take(request, reply, (effects, tenant) => acceptMessage(effects, tenant, request.body)),
  )
  app.post<{ Body: ActionBody }>('/v1/session/action', { schema: { body: actionBody } }, (request, reply) =>
    take(request, reply, (effects, tenant) => acceptAction(effects, tenant, request.body)),
  )

  type Accept = (effects: Effects, tenant: string) => Promise<Accepted>

  async function take(request: FastifyRequest, reply: FastifyReply, accept: Accept): Promise<object> {
    const { tenant } = await identify(request)
    const route = `${request.method} ${request.routeOptions.url ?? ''}`
    const once = { tenant, key: idempotencyKeyOf(request), function: gateway.name, route, asked: request.body }
    const answer = await context.transaction((effects) => answerOnce(effects, once, (open) => accept(open, tenant)), {
      tenant,
    })
    if (answer.stops === true) tellToStop({ tenant, session_id: answer.body.session_id })
    void reply.code(answer.status)
    return answer.body
  }

  // The word is in the database already; a worker that misses the signal finds it there a moment later.
  function tellToStop(stop: TurnStop): void {
    channel.publish(stopChannel, JSON.stringify(stop)).catch((error: unknown) => {
      context.log.debug({ err: error }, 'workers were not told to stop a turn')
    })
  }
}
