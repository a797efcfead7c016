// The span of leading a turn. A turn comes of several events: each result of the tools that were asked, and the message that
// opened it, which may have waited in the queue while another turn's event called it. The span links to where each of them was
// taken in.

import type { Queryable } from '../../shared/database/index.ts'
import { currentTrace, inSpan, noTracer, parseTraceparent, type Tracer } from '../../shared/telemetry/index.ts'
import type { ChangeTarget } from './change-session.ts'
import { conversationWorker } from './function.ts'

export interface TurnSpanDeps {
  readonly database: Queryable
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

export async function inTurnSpan(
  target: ChangeTarget,
  { database, tracer = noTracer }: TurnSpanDeps,
  work: () => Promise<void>,
): Promise<void> {
  if (!tracer.on) return work()
  const { key, turnId } = target
  const values = [key.tenant, key.sessionId, turnId]
  // Telemetry: what it cannot find out is left out.
  const { rows } = await database.query<Joined>(joinedSql, values).catch(() => ({ rows: [] }))
  const here = currentTrace()?.traceId
  const joined = rows
    .map(({ trace, opened }) => ({ context: parseTraceparent(trace), opened }))
    .filter(({ context, opened }) => !opened || context?.traceId !== here) // its own event is the parent already
  const describe = () => ({
    name: `invoke_agent ${conversationWorker.name}`,
    links: joined.flatMap(({ context }) => (context === undefined ? [] : [context])),
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': conversationWorker.name,
      'gen_ai.conversation.id': key.sessionId,
    },
  })
  return inSpan(tracer, describe, work)
}

interface Joined {
  readonly trace: string
  readonly opened: boolean
}

const joinedSql = `
  WITH turn AS (SELECT * FROM agent.turn WHERE tenant = $1 AND session_id = $2 AND turn_id = $3)
  SELECT opening->>'trace' AS trace, true AS opened FROM turn WHERE opening->>'trace' IS NOT NULL
  UNION ALL
  SELECT call.trace, false FROM agent.tool_call AS call JOIN turn USING (tenant, session_id, turn_id)
  WHERE call.round = turn.rounds AND call.trace IS NOT NULL`
