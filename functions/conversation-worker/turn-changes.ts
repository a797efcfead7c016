// What a transition does to the tables and to the log. Each function applies one outcome of the turn machine to one turn of
// a scene; nobody else writes `turn`, `turn_round` and `tool_call`.

import {
  conversationActionRequested,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnStarted,
  type ConversationTurnFailed,
  type EventType,
} from '../../shared/events/index.ts'
import type { Opening, Scene, Turn } from './session-scene.ts'
import { isRunning, type TurnState } from './turn-machine.ts'

export type FailReason = ConversationTurnFailed['reason']

/** Emits an event of the turn and stores it for readers of the session. */
export function announce<Type extends string, Data extends { readonly turn_id: string }>(
  scene: Scene,
  type: EventType<Type, Data>,
  data: Data,
): void {
  const { sessionId } = scene.key
  const eventId = scene.emit(type, data, { key: sessionId, sessionId })
  scene.record({ eventId, type: type.type, turnId: data.turn_id, data })
}

/** A turn of an event that came past the gateway. */
export async function createTurn(scene: Scene, turnId: string): Promise<Turn> {
  const { rows } = await scene.tx.query<{ ordinal: number }>(createTurnSql, [...idsOf(scene, turnId)])
  const ordinal = rows[0]?.ordinal ?? 0
  const turn: Turn = {
    turnId,
    ordinal,
    state: 'accepted',
    rounds: 0,
    opening: null,
    stopCause: null,
    deadlineAt: null,
    overdue: false,
  }
  scene.turns.push(turn)
  return turn
}

export async function queueTurn(scene: Scene, turn: Turn, opening: Opening): Promise<void> {
  become(scene, turn, 'queued')
  await scene.tx.query(queueSql, [...idsOf(scene, turn.turnId), JSON.stringify(opening)])
}

export interface StartOptions {
  readonly opening: Opening
  /** From now to the turn's deadline, in milliseconds. */
  readonly deadlineMs: number
}

export async function startTurn(scene: Scene, turn: Turn, { opening, deadlineMs }: StartOptions): Promise<void> {
  become(scene, turn, 'thinking')
  recordOpening(scene, turn, opening)
  announce(scene, conversationTurnStarted, { session_id: scene.key.sessionId, turn_id: turn.turnId })
  await scene.tx.query(startSql, [...idsOf(scene, turn.turnId), JSON.stringify(opening), deadlineMs])
}

export interface FailOptions {
  readonly reason: FailReason
  readonly detail: string
  /** Given when the turn ends before it started: the message is stored all the same. */
  readonly opening?: Opening
}

export async function failTurn(scene: Scene, turn: Turn, { reason, detail, opening }: FailOptions): Promise<void> {
  become(scene, turn, 'failed')
  scene.ended.push(reason)
  const unseen = opening ?? (turn.state === 'queued' ? turn.opening : null)
  if (unseen !== null) recordOpening(scene, turn, unseen)
  announce(scene, conversationTurnFailed, { session_id: scene.key.sessionId, turn_id: turn.turnId, reason, detail })
  const closed = reason === 'deadline_exceeded' ? 'timed_out' : 'cancelled'
  await Promise.all([
    scene.tx.query(failSql, [
      ...idsOf(scene, turn.turnId),
      reason,
      detail,
      unseen === null ? null : JSON.stringify(unseen),
    ]),
    turn.state === 'awaiting-tools' ? scene.tx.query(closeCallsSql, [...idsOf(scene, turn.turnId), closed]) : undefined,
  ])
}

export interface Answer {
  readonly text: string
  readonly model: string
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number }
}

export async function completeTurn(scene: Scene, turn: Turn, answer: Answer): Promise<void> {
  become(scene, turn, 'completed')
  scene.ended.push('completed')
  const earlier = await scene.tx.query<{ input: number; output: number }>(completeSql, [
    ...idsOf(scene, turn.turnId),
    answer.text,
  ])
  const { input = 0, output = 0 } = earlier.rows[0] ?? {}
  announce(scene, conversationTurnCompleted, {
    session_id: scene.key.sessionId,
    turn_id: turn.turnId,
    answer: answer.text,
    tool_rounds: turn.rounds,
    model: answer.model,
    usage: { input_tokens: input + answer.usage.inputTokens, output_tokens: output + answer.usage.outputTokens },
  })
}

/** Asks for the next turn when one waits and none runs. By an event, so that each run leads one turn with its own attempts. */
export function callNext(scene: Scene): void {
  if (scene.paused || scene.turns.some(({ state }) => isRunning(state))) return
  const next = scene.turns.find(({ state }) => state === 'queued')
  if (next === undefined) return
  const { sessionId } = scene.key
  const data = { session_id: sessionId, action: 'resume', turn_id: next.turnId } as const
  scene.emit(conversationActionRequested, data, { key: sessionId, sessionId, beginsChain: true })
}

export function become(scene: Scene, turn: Turn, state: TurnState): void {
  scene.turns.splice(
    scene.turns.findIndex(({ turnId }) => turnId === turn.turnId),
    1,
    { ...turn, state },
  )
}

function recordOpening(scene: Scene, { turnId }: Turn, { eventId, type, data }: Opening): void {
  scene.record({ eventId, type, turnId, data })
}

export const idsOf = ({ key }: Scene, turnId: string): readonly [string, string, string] => [
  key.tenant,
  key.sessionId,
  turnId,
]

const createTurnSql = `
  WITH allotted AS (
    UPDATE agent.session SET last_ordinal = last_ordinal + 1 WHERE tenant = $1 AND session_id = $2 RETURNING last_ordinal
  )
  INSERT INTO agent.turn (tenant, session_id, turn_id, ordinal, state)
  SELECT $1, $2, $3, last_ordinal, 'accepted' FROM allotted RETURNING ordinal`

const queueSql = `
  UPDATE agent.turn SET state = 'queued', opening = $4::jsonb WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`

const startSql = `
  UPDATE agent.turn SET state = 'thinking', opening = $4::jsonb,
         persona_id = COALESCE(persona_id, $4::jsonb->'data'->>'persona_id'), started_at = clock_timestamp(), swept_at = NULL,
         deadline_at = clock_timestamp() + $5 * interval '1 millisecond'
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`

const failSql = `
  UPDATE agent.turn SET state = 'failed', reason = $4, detail = $5, opening = COALESCE($6::jsonb, opening), ended_at = clock_timestamp()
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`

const closeCallsSql = `
  UPDATE agent.tool_call SET status = $4, finished_at = clock_timestamp()
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3 AND status = 'requested'`

const completeSql = `
  WITH ended AS (
    UPDATE agent.turn SET state = 'completed', answer = $4, ended_at = clock_timestamp()
    WHERE tenant = $1 AND session_id = $2 AND turn_id = $3
  )
  SELECT COALESCE(sum(input_tokens), 0)::bigint AS input, COALESCE(sum(output_tokens), 0)::bigint AS output
  FROM agent.turn_round WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`
