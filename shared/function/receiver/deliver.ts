// The end of the pipeline for functions with state: hands the event to delivery, from its source or from its lane, or to be
// run dry. A dispatcher sends only fixed and `ce-` headers, so no record can ask for that.

import type { Answer, Delivery } from '../../delivery/index.ts'
import { dryRunTokenHeader } from './dry-run-header.ts'
import type { Receive } from './pipeline.ts'
import type { Reply } from './reply.ts'

export const createDeliver =
  (delivery: Delivery): Receive =>
  async (incoming, reception) => {
    const { laneToken, headers } = reception
    const dryRunToken = headers[dryRunTokenHeader]
    if (dryRunToken !== undefined) return replyOfAnswer(await delivery.dryRun(incoming, String(dryRunToken)))
    const answer = laneToken === undefined ? await delivery.accept(incoming) : await delivery.run(incoming, laneToken)
    return replyOfAnswer(answer)
  }

/** A 2xx answer has no body, so its code stays in the log of delivery. */
export function replyOfAnswer({ status, outcome, code, retryAfterS }: Answer): Reply {
  if (status < 300) return { status, outcome, logged: true }
  const reply = {
    status,
    outcome,
    logged: true,
    code: code ?? (status === 409 ? 'conflict' : 'database_unavailable'),
  } as const
  return retryAfterS === undefined ? reply : { ...reply, retryAfterS }
}
