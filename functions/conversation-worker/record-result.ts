// A tool call ended. The last open call of a round sends the turn back to the model.

import { conversationTurnProgressed, type ToolCallFinished } from '../../shared/events/index.ts'
import { RejectedError } from '../../shared/errors/index.ts'
import { traceparentHere } from '../../shared/telemetry/index.ts'
import type { Scene } from './session-scene.ts'
import { announce, become, callNext, failTurn, idsOf } from './turn-changes.ts'
import { transition } from './turn-machine.ts'

interface CallRow {
  readonly tool: string
  readonly status: string
  /** Other calls of the turn that are still open. */
  readonly others: number
}

/**
 * Returns whether the turn thinks again.
 * @throws RejectedError `unknown_request` for a result that nobody asked for: tenant, session, turn, call and tool must all fit.
 */
export async function recordResult(scene: Scene, result: ToolCallFinished): Promise<boolean> {
  const { rows } = await scene.tx.query<CallRow>(callSql, [...idsOf(scene, result.turn_id), result.call_id])
  const [call] = rows
  const turn = scene.turns.find(({ turnId }) => turnId === result.turn_id)
  if (call === undefined || turn === undefined || call.tool !== result.tool) {
    throw new RejectedError({ code: 'unknown_request', reason: 'No call of this conversation asked for this result' })
  }
  if (call.status !== 'requested') {
    await scene.tx.query(lateSql, [...idsOf(scene, result.turn_id), result.call_id, JSON.stringify(result)])
    return false
  }
  await store(scene, result)
  if (turn.stopCause !== null || turn.overdue) {
    const reason = turn.stopCause ?? 'deadline_exceeded'
    await failTurn(scene, turn, { reason, detail: 'Ended while tools were running' })
    callNext(scene)
    return false
  }
  if (transition(turn.state, { kind: 'call-finished', open: call.others }).kind !== 'think-again') return false
  become(scene, turn, 'thinking')
  await scene.tx.query(thinkAgainSql, [...idsOf(scene, turn.turnId)])
  return true
}

async function store(
  scene: Scene,
  { session_id, turn_id, call_id, tool, status, result, error }: ToolCallFinished,
): Promise<void> {
  announce(scene, conversationTurnProgressed, {
    session_id,
    turn_id,
    call_id,
    tool,
    phase: 'tool-finished',
    status,
    ...(error === undefined ? {} : { detail: error.message }),
  })
  const values = [
    call_id,
    status,
    result === undefined ? null : JSON.stringify(result),
    error === undefined ? null : JSON.stringify(error),
    traceparentHere(),
  ]
  await scene.tx.query(finishSql, [...idsOf(scene, turn_id), ...values])
}

const callSql = `
  SELECT tool, status, (
    SELECT count(*)::integer FROM agent.tool_call AS other
    WHERE other.tenant = $1 AND other.session_id = $2 AND other.turn_id = $3 AND other.call_id <> $4 AND other.status = 'requested'
  ) AS others
  FROM agent.tool_call WHERE tenant = $1 AND session_id = $2 AND turn_id = $3 AND call_id = $4`

const lateSql = `
  UPDATE agent.tool_call SET late = $5::jsonb
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3 AND call_id = $4 AND late IS NULL`

const finishSql = `
  UPDATE agent.tool_call SET status = $5, result = $6::jsonb, error = $7::jsonb, trace = $8, finished_at = clock_timestamp()
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3 AND call_id = $4`

const thinkAgainSql = `
  UPDATE agent.turn SET state = 'thinking' WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`
