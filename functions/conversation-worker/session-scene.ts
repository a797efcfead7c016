// One transaction's view of a conversation: the session's row, locked, and its open turns. What happens is recorded here and
// written at the end in one statement, so that positions are gapless and a transaction makes few round trips.
//
// S1  The session's row is locked first; whoever changes turns of a session does the same, so changes are in one order.
// S2  `position` counts the durable events of the session from 1 without a gap: it is allotted under that lock.
// S3  Every event a client may read is stored in the transaction that emits it, under the same id.

import type { Effects } from '../../shared/delivery/index.ts'
import { RejectedError } from '../../shared/errors/index.ts'
import type { ConversationTurnFailed } from '../../shared/events/index.ts'
import type { StopCause, TurnState } from './turn-machine.ts'

export interface ConversationKey {
  readonly tenant: string
  readonly sessionId: string
}

export interface Turn {
  readonly turnId: string
  readonly ordinal: number
  readonly state: TurnState
  readonly rounds: number
  /** The message that starts the turn, kept while the turn waits in the queue. */
  readonly opening: Opening | null
  readonly stopCause: StopCause | null
  readonly deadlineAt: Date | null
  readonly overdue: boolean
}

/** The event that asked for a turn, and the text for the model. */
export interface Opening {
  readonly eventId: string
  readonly type: string
  readonly data: object
  readonly text: string
  /** Where it was taken in, as a traceparent. Absent in turns that older versions opened. */
  readonly trace?: string
}

export interface RecordedEvent {
  readonly eventId: string
  readonly type: string
  readonly turnId: string
  readonly data: object
}

export interface Scene extends Effects {
  readonly key: ConversationKey
  readonly paused: boolean
  /** Open turns, and the one asked for if it has ended, in order of acceptance. A change replaces its entry. */
  readonly turns: Turn[]
  /** How turns ended in this transaction: 'completed' or the reason. */
  readonly ended: ('completed' | ConversationTurnFailed['reason'])[]
  record(event: RecordedEvent): void
  /** Runs after everything else of the transaction. Returns the last position. */
  finish(): Promise<number>
}

interface SessionRow {
  readonly paused: boolean
  readonly last_position: number
}

/** Locks the session, which is created when an event comes past the gateway, and reads its open turns and `turnId`. */
export async function openScene(effects: Effects, key: ConversationKey, turnId: string): Promise<Scene> {
  const { tx } = effects
  const { tenant, sessionId } = key
  const [found, turns] = await Promise.all([
    tx.query<SessionRow>(lockSessionSql, [tenant, sessionId]),
    tx.query<Turn>(turnsSql, [tenant, sessionId, turnId]),
  ])
  const session = found.rows[0] ?? (await createSession(effects, key))
  const recorded: RecordedEvent[] = []
  return {
    ...effects,
    key,
    paused: session.paused,
    turns: turns.rows,
    ended: [],
    record: (event) => void recorded.push(event),
    finish: async () => {
      if (recorded.length === 0) return session.last_position
      const events = recorded.map(({ eventId, type, turnId: turn, data }) => ({
        event_id: eventId,
        type,
        turn_id: turn,
        data,
      }))
      const { rows } = await tx.query<{ last: number }>(storeSql, [
        tenant,
        sessionId,
        events.length,
        JSON.stringify(events),
      ])
      return rows[0]?.last ?? session.last_position
    },
  }
}

async function createSession({ tx }: Effects, { tenant, sessionId }: ConversationKey): Promise<SessionRow> {
  const { rows } = await tx.query<SessionRow>(createSessionSql, [tenant, sessionId])
  const [created] = rows
  if (created === undefined)
    throw new RejectedError({ code: 'tenant_invalid', reason: 'The session belongs to another tenant' })
  return created
}

const lockSessionSql = `
  SELECT paused, last_position FROM agent.session WHERE tenant = $1 AND session_id = $2 FOR UPDATE`

const createSessionSql = `
  INSERT INTO agent.session (tenant, session_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING paused, last_position`

const turnsSql = `
  SELECT turn_id AS "turnId", ordinal, state, rounds, opening, interrupt_cause AS "stopCause",
         deadline_at AS "deadlineAt", COALESCE(deadline_at < clock_timestamp(), false) AS overdue
  FROM agent.turn
  WHERE tenant = $1 AND session_id = $2
    AND (state IN ('accepted', 'queued', 'thinking', 'awaiting-tools') OR turn_id = $3)
  ORDER BY ordinal`

const storeSql = `
  WITH allotted AS (
    UPDATE agent.session SET last_position = last_position + $3
    WHERE tenant = $1 AND session_id = $2 RETURNING last_position AS last
  ), stored AS (
    INSERT INTO agent.session_event (tenant, session_id, position, event_id, type, turn_id, data)
    SELECT $1, $2, last - $3 + number, event->>'event_id', event->>'type', event->>'turn_id', event->'data'
    FROM allotted, json_array_elements($4::json) WITH ORDINALITY AS recorded (event, number)
  )
  SELECT last FROM allotted`
