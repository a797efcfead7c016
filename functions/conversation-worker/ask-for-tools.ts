// Stores a round of tool calls and sends out those that can be called.

import { conversationTurnProgressed, toolCallRequested } from '../../shared/events/index.ts'
import type { ModelUsage } from '../../shared/model/index.ts'
import type { Scene, Turn } from './session-scene.ts'
import type { PlannedCall } from './tool-calls.ts'
import { announce, become, idsOf } from './turn-changes.ts'

export interface ToolRound {
  readonly text: string
  readonly usage: ModelUsage
  readonly calls: readonly PlannedCall[]
  /** Where the turn goes: on when a call is open, back to the model when all were answered on the spot. */
  readonly state: 'awaiting-tools' | 'thinking'
}

export async function askForTools(scene: Scene, turn: Turn, { text, usage, calls, state }: ToolRound): Promise<void> {
  const { tx, key } = scene
  const round = turn.rounds + 1
  become(scene, turn, state)
  for (const call of calls) sendCall(scene, turn, call)
  await Promise.all([
    tx.query(storeRoundSql, [...idsOf(scene, turn.turnId), round, text, usage.inputTokens, usage.outputTokens]),
    tx.query(storeCallsSql, [key.tenant, key.sessionId, turn.turnId, round, JSON.stringify(calls.map(callRow))]),
    tx.query(advanceSql, [...idsOf(scene, turn.turnId), state, round]),
  ])
}

function sendCall(scene: Scene, turn: Turn, { callId, tool, fate }: PlannedCall): void {
  const { sessionId } = scene.key
  const call = { session_id: sessionId, turn_id: turn.turnId, call_id: callId, tool }
  announce(scene, conversationTurnProgressed, { ...call, phase: 'tool-started' })
  if (fate.kind === 'answered') {
    const { status, error } = fate
    return announce(scene, conversationTurnProgressed, {
      ...call,
      phase: 'tool-finished',
      status,
      detail: error.message,
    })
  }
  const deadline = turn.deadlineAt === null ? {} : { deadline_at: turn.deadlineAt.toISOString() }
  scene.emit(toolCallRequested, { ...call, arguments: fate.args, ...deadline }, { key: sessionId, sessionId })
}

const callRow = ({ callId, number, tool, modelCallId, argumentsText, fate }: PlannedCall): object => ({
  call_id: callId,
  number,
  tool,
  model_call_id: modelCallId,
  arguments: argumentsText,
  status: fate.kind === 'request' ? 'requested' : fate.status,
  error: fate.kind === 'request' ? null : fate.error,
})

const storeRoundSql = `
  INSERT INTO agent.turn_round (tenant, session_id, turn_id, round, text, input_tokens, output_tokens)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`

const storeCallsSql = `
  INSERT INTO agent.tool_call
    (tenant, session_id, turn_id, round, call_id, number, tool, model_call_id, arguments, status, error, finished_at)
  SELECT $1, $2, $3, $4, call_id, number, tool, model_call_id, arguments, status, error,
         CASE WHEN status <> 'requested' THEN clock_timestamp() END
  FROM jsonb_to_recordset($5::jsonb) AS planned
    (call_id text, number integer, tool text, model_call_id text, arguments text, status text, error jsonb)`

const advanceSql = `
  UPDATE agent.turn SET state = $4, rounds = $5 WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`
