// What happens to a request that carries no event of this function. Bad input is never lost silently: what a KafkaSource or
// the lane driver sent becomes a dead letter with its raw bytes and the cause, because the sender would drop it; everyone
// else, and everyone who calls a stateless function, is told what is wrong.

import type { Delivery, Incoming } from '../../delivery/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { withTrace } from '../../telemetry/index.ts'
import type { Refusal, Refuse } from './pipeline.ts'
import type { Reception } from './reception.ts'
import { errorReply, type Reply } from './reply.ts'
import { replyOfAnswer } from './deliver.ts'
import { traceOfRequest } from './policies/trace.ts'

export const createRefuse =
  (delivery: Delivery | undefined): Refuse =>
  (refusal, reception) => {
    const { code } = refusal
    const kept = reception.fromKafkaSource || reception.laneToken !== undefined
    if (delivery === undefined || !kept) return errorReply(code, 'invalid', { reason: refusal.message })
    // The dead letter, its log line and the answer name one trace, also when nothing could be decoded.
    reception.trace ??= traceOfRequest(reception)
    return withTrace(reception.trace, () => rejectIn(delivery, refusal, reception))
  }

async function rejectIn(delivery: Delivery, refusal: Refusal, reception: Reception): Promise<Reply> {
  const { origin, ...facts } = refusal
  const { headers, laneToken } = reception
  const refused = { ...origin, ...facts, headers }
  return replyOfAnswer(await delivery.reject(laneToken === undefined ? refused : { ...refused, laneToken }))
}

/** For an event that could be decoded. */
export function refusalOf(incoming: Incoming, code: ErrorCode, message: string): Refusal {
  const { event, raw, ...origin } = incoming
  return { code, message, raw, event, origin }
}
