// Everything a call of the model needs to know of a turn, read in one statement.

import type { Queryable } from '../../shared/database/index.ts'
import type { ConversationKey } from './session-scene.ts'
import type { StopCause, TurnState } from './turn-machine.ts'

export interface TurnView {
  readonly state: TurnState
  readonly rounds: number
  readonly stopCause: StopCause | null
  /** Until the turn's deadline; negative when it has passed. */
  readonly remainingMs: number
  readonly instructions: string | null
  readonly profile: ModelProfile | null
  readonly tools: readonly CatalogTool[]
  /** Turns of the session up to this one, oldest first; the last is this one. */
  readonly history: readonly PastTurn[]
}

export interface ModelProfile {
  readonly model: string
  readonly temperature: number | null
  readonly maxOutputTokens: number | null
  readonly contextTokens: number
  readonly maxToolRounds: number
}

export interface CatalogTool {
  readonly name: string
  readonly enabled: boolean
  readonly description: string
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface PastTurn {
  readonly text: string
  readonly answer: string | null
  readonly reason: string | null
  readonly rounds: readonly PastRound[]
}

export interface PastRound {
  readonly text: string
  readonly calls: readonly PastCall[]
}

export interface PastCall {
  readonly id: string
  readonly tool: string
  readonly arguments: string
  readonly status: string
  readonly result: unknown
  readonly error: { readonly code: string; readonly message: string } | null
}

/** Turns that a prompt may reach back, at most. */
export const historyTurns = 40

export async function readTurn(
  database: Queryable,
  { tenant, sessionId }: ConversationKey,
  turnId: string,
): Promise<TurnView | undefined> {
  const { rows } = await database.query<TurnView>(viewSql, [tenant, sessionId, turnId, historyTurns])
  return rows[0]
}

// A row of tenant '*' holds where the tenant has none of its own.
const viewSql = `
  SELECT turn.state, turn.rounds, turn.interrupt_cause AS "stopCause",
    (EXTRACT(EPOCH FROM turn.deadline_at - clock_timestamp()) * 1000)::double precision AS "remainingMs",
    persona.instructions,
    (SELECT json_build_object('model', profile.model, 'temperature', profile.temperature,
              'maxOutputTokens', profile.max_output_tokens, 'contextTokens', profile.context_tokens,
              'maxToolRounds', profile.max_tool_rounds)
     FROM agent.model_profile AS profile
     WHERE profile.tenant IN ($1, '*') AND profile.profile IN (COALESCE(persona.profile, 'default'), 'default')
     ORDER BY profile.profile = 'default', profile.tenant = '*' LIMIT 1) AS profile,
    COALESCE((SELECT json_agg(tool ORDER BY tool.name) FROM (
       SELECT DISTINCT ON (catalog.tool) catalog.tool AS name, catalog.enabled, catalog.description, catalog.parameters
       FROM agent.tool_catalog AS catalog WHERE catalog.tenant IN ($1, '*')
       ORDER BY catalog.tool, catalog.tenant = '*') AS tool), '[]') AS tools,
    COALESCE((SELECT json_agg(past ORDER BY past.ordinal) FROM (
       SELECT earlier.ordinal, earlier.opening->>'text' AS text, earlier.answer, earlier.reason,
         COALESCE((SELECT json_agg(json_build_object('text', round.text, 'calls',
             COALESCE((SELECT json_agg(json_build_object('id', call.model_call_id, 'tool', call.tool, 'arguments', call.arguments,
                         'status', call.status, 'result', call.result, 'error', call.error) ORDER BY call.number)
                       FROM agent.tool_call AS call
                       WHERE call.tenant = $1 AND call.session_id = $2 AND call.turn_id = earlier.turn_id AND call.round = round.round), '[]'))
             ORDER BY round.round)
           FROM agent.turn_round AS round
           WHERE round.tenant = $1 AND round.session_id = $2 AND round.turn_id = earlier.turn_id), '[]') AS rounds
       FROM agent.turn AS earlier
       WHERE earlier.tenant = $1 AND earlier.session_id = $2 AND earlier.ordinal <= turn.ordinal AND earlier.opening IS NOT NULL
         AND (earlier.state IN ('completed', 'failed') OR earlier.turn_id = $3)
       ORDER BY earlier.ordinal DESC LIMIT $4) AS past), '[]') AS history
  FROM agent.turn AS turn
  JOIN agent.session AS session ON session.tenant = turn.tenant AND session.session_id = turn.session_id
  LEFT JOIN agent.persona AS persona ON persona.tenant = turn.tenant AND persona.persona_id = COALESCE(turn.persona_id, session.persona_id)
  WHERE turn.tenant = $1 AND turn.session_id = $2 AND turn.turn_id = $3`
