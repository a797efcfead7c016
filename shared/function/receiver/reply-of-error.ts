// What an error that ends an event request means to the source: what may succeed later is 503, what cannot is final.

import { classifyError, errorCodes } from '../../errors/index.ts'
import { retryAfterSeconds } from '../problem.ts'
import { errorReply, type Reply } from './reply.ts'

/** A KafkaSource tries these again, and every 5xx (Knative delivery specification). */
const retriedStatuses = new Set([404, 408, 409, 429])

export function replyOfError(error: unknown): Reply {
  const verdict = classifyError(error)
  const { code, message: reason } = verdict
  if (verdict.kind === 'reject') {
    const { status } = errorCodes[code]
    const final = status >= 400 && status < 500 && !retriedStatuses.has(status)
    return errorReply(code, 'refused', { status: final ? status : 422, reason })
  }
  const afterMs = verdict.kind === 'retry' ? verdict.afterMs : undefined
  return errorReply(code, 'failed', { status: 503, retryAfterS: retryAfterSeconds(afterMs ?? 1_000), reason })
}
