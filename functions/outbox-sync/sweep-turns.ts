// Finds turns whose time is over and asks the conversation-worker to look at them. It decides nothing and changes no turn:
// whether the turn is still overdue is seen when the event's place in the session's lane has come.
//
//   running   past its deadline: a tool never answered, or the run that led the turn has become a dead letter
//   accepted  for long: its message has become a dead letter, or the worker is away (then the event waits, too)
//   queued    for long: looked at as well, which does no harm and mends what should not happen

import { conversationActionRequested } from '../../shared/events/index.ts'
import type { TransactionalRoutes } from '../../shared/delivery/index.ts'

export interface SweepDeps {
  readonly transaction: TransactionalRoutes['transaction']
}

/** A run that leads a turn ends it by itself at the deadline; only later is nobody there. In seconds. */
const graceSeconds = 5
/** How long a turn may wait before its message counts as lost, in seconds. */
const waitSeconds = 600
/** A running turn is asked about again when nothing came of it, in seconds; one that waits, after `waitSeconds`. */
const againSeconds = 60
/** Turns of one pass. */
const batch = 100

interface Overdue {
  readonly tenant: string
  readonly session_id: string
  readonly turn_id: string
}

/** Returns how many turns were asked about. */
export function sweepTurns({ transaction }: SweepDeps): Promise<number> {
  return transaction(
    async ({ tx, emit }) => {
      const { rows } = await tx.query<Overdue>(overdueSql, [graceSeconds, waitSeconds, againSeconds, batch])
      for (const { tenant, session_id, turn_id } of rows) {
        emit(
          conversationActionRequested,
          { session_id, turn_id, action: 'resume' },
          { key: session_id, sessionId: session_id, tenant },
        )
      }
      return rows.length
    },
    { tenant: 'platform' }, // each event has its turn's
  )
}

const overdueSql = `
  UPDATE agent.turn SET swept_at = clock_timestamp()
  WHERE (tenant, session_id, turn_id) IN (
    SELECT tenant, session_id, turn_id FROM agent.turn
    WHERE state IN ('accepted', 'queued', 'thinking', 'awaiting-tools')
      AND COALESCE(deadline_at, accepted_at) < clock_timestamp() - $1 * interval '1 second'
      AND (state IN ('thinking', 'awaiting-tools') OR accepted_at < clock_timestamp() - $2 * interval '1 second')
      AND (swept_at IS NULL OR swept_at < clock_timestamp() - CASE WHEN state IN ('thinking', 'awaiting-tools') THEN $3 ELSE $2 END * interval '1 second')
    ORDER BY COALESCE(deadline_at, accepted_at) LIMIT $4
    FOR UPDATE SKIP LOCKED)
  RETURNING tenant, session_id, turn_id`
