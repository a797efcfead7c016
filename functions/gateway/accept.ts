// Takes a message or an action in: the session's row, the turn and the event commit together, so there is never a turn that
// nobody works on, nor an event of a turn that nobody knows.
//
// A1  The session's row is locked first; turns of a session are numbered in the order in which they were accepted.
// A2  A turn is born 'accepted' here and changed by the conversation-worker only – but for `interrupt_cause`, the word that
//     it is to stop, which must not wait behind the very turn that it stops.

import { v7 as uuid } from 'uuid'
import type { Effects } from '../../shared/delivery/index.ts'
import { SluiceError, sqlState } from '../../shared/errors/index.ts'
import {
  conversationActionRequested,
  conversationMessageReceived,
  type ConversationActionRequested,
} from '../../shared/events/index.ts'
import type { ActionBody, MessageBody } from './request-schemas.ts'

export interface Accepted {
  readonly status: 202
  readonly body: { readonly session_id: string; readonly event_id: string; readonly turn_id?: string }
  /** A running turn was told to stop: its worker should hear at once. */
  readonly stops: boolean
}

interface Session {
  readonly strategy: 'enqueue' | 'interrupt' | 'reject'
  readonly ordinal: number
}

export async function acceptMessage(effects: Effects, tenant: string, body: MessageBody): Promise<Accepted> {
  const { message, metadata, persona_id: personaId } = body
  const sessionId = body.session_id ?? uuid()
  const turnId = uuid()
  const session = await enterSession(effects, { tenant, sessionId, personaId })
  const strategy = body.strategy ?? session.strategy
  if (strategy === 'reject') await refuseWhileOpen(effects, tenant, sessionId)
  const stops = strategy === 'interrupt' && (await stopTurns(effects, { tenant, sessionId, cause: 'interrupted' }))
  await insertTurn(effects, { tenant, sessionId, turnId, ordinal: session.ordinal, personaId })
  const data = {
    session_id: sessionId,
    turn_id: turnId,
    message,
    strategy,
    ...(personaId === undefined ? {} : { persona_id: personaId }),
    ...(metadata === undefined ? {} : { metadata }),
  }
  const eventId = effects.emit(conversationMessageReceived, data, { key: sessionId, sessionId })
  return { status: 202, body: { session_id: sessionId, event_id: eventId, turn_id: turnId }, stops }
}

export async function acceptAction(effects: Effects, tenant: string, body: ActionBody): Promise<Accepted> {
  const { session_id: sessionId, action, turn_id: turnId } = body
  if (turnId !== undefined && action !== 'cancel') {
    throw new SluiceError('invalid_request', 'Only cancel takes a turn', {
      details: { detail: 'body.turn_id is only for cancel' },
    })
  }
  if (action === 'cancel') return cancelTurn(effects, tenant, body)
  if (action === 'pause' || action === 'resume') {
    await lockSession(effects, tenant, { sessionId, newTurns: 0 })
    return accepted(effects, { session_id: sessionId, action })
  }
  const { ordinal } = await lockSession(effects, tenant, { sessionId, newTurns: 1 })
  const asked = uuid()
  await insertTurn(effects, { tenant, sessionId, turnId: asked, ordinal, personaId: undefined })
  return accepted(effects, { session_id: sessionId, action, turn_id: asked })
}

async function cancelTurn(
  effects: Effects,
  tenant: string,
  { session_id: sessionId, turn_id }: ActionBody,
): Promise<Accepted> {
  await lockSession(effects, tenant, { sessionId, newTurns: 0 })
  const turnId = await turnToCancel(effects, { tenant, sessionId, turnId: turn_id })
  const stops = await stopTurns(effects, { tenant, sessionId, cause: 'cancelled', turnId })
  return { ...accepted(effects, { session_id: sessionId, action: 'cancel', turn_id: turnId }), stops }
}

function accepted({ emit }: Effects, action: ConversationActionRequested): Accepted {
  const { session_id: sessionId, turn_id } = action
  const eventId = emit(conversationActionRequested, action, { key: sessionId, sessionId })
  const turn = turn_id === undefined ? {} : { turn_id }
  return { status: 202, body: { session_id: sessionId, event_id: eventId, ...turn }, stops: false }
}

interface Entering {
  readonly tenant: string
  readonly sessionId: string
  readonly personaId: string | undefined
}

/** Creates the session or locks it, and allots the turn's ordinal, in one statement. */
async function enterSession({ tx }: Effects, { tenant, sessionId, personaId }: Entering): Promise<Session> {
  const persona = personaId ?? null
  const { rows } = await tx
    .query<Session & { known: boolean }>(enterSql, [tenant, sessionId, persona])
    .catch((error: unknown) => {
      // The id belongs to another tenant, who must not be told apart from nobody (API1).
      throw sqlState(error) === '23505' ? noSession() : error
    })
  const [session] = rows
  if (session === undefined) throw noSession()
  if (persona !== null && !session.known) {
    throw new SluiceError('invalid_request', 'The persona is not known', {
      details: { detail: 'body.persona_id is not known' },
    })
  }
  return session
}

interface Locking {
  readonly sessionId: string
  /** Ordinals to allot. */
  readonly newTurns: 0 | 1
}

async function lockSession({ tx }: Effects, tenant: string, { sessionId, newTurns }: Locking): Promise<Session> {
  const { rows } = await tx.query<Session>(lockSql, [tenant, sessionId, newTurns])
  const [session] = rows
  if (session === undefined) throw noSession()
  return session
}

async function refuseWhileOpen({ tx }: Effects, tenant: string, sessionId: string): Promise<void> {
  const { rows } = await tx.query<{ turn_id: string }>(openSql, [tenant, sessionId])
  const [running] = rows
  if (running === undefined) return
  throw new SluiceError('turn_running', 'A turn is running', { details: { turn_id: running.turn_id } })
}

interface Cancelling {
  readonly tenant: string
  readonly sessionId: string
  readonly turnId: string | undefined
}

async function turnToCancel({ tx }: Effects, { tenant, sessionId, turnId }: Cancelling): Promise<string> {
  if (turnId === undefined) {
    const [open] = (await tx.query<{ turn_id: string }>(openSql, [tenant, sessionId])).rows
    if (open === undefined)
      throw new SluiceError('conflict', 'No turn is open', { details: { detail: 'no turn is running or waiting' } })
    return open.turn_id
  }
  const [turn] = (await tx.query<{ open: boolean }>(turnSql, [tenant, sessionId, turnId])).rows
  if (turn === undefined) throw new SluiceError('not_found', 'There is no such turn')
  if (!turn.open) throw new SluiceError('conflict', 'The turn has ended', { details: { detail: 'the turn has ended' } })
  return turnId
}

interface Stopping {
  readonly tenant: string
  readonly sessionId: string
  readonly cause: 'interrupted' | 'cancelled'
  /** Default: every open turn. */
  readonly turnId?: string | undefined
}

/** Returns whether a turn was told. */
async function stopTurns({ tx }: Effects, { tenant, sessionId, cause, turnId }: Stopping): Promise<boolean> {
  const { rowCount } = await tx.query(stopSql, [tenant, sessionId, cause, turnId ?? null])
  return rowCount > 0
}

interface NewTurn extends Entering {
  readonly turnId: string
  readonly ordinal: number
}

async function insertTurn({ tx }: Effects, { tenant, sessionId, turnId, ordinal, personaId }: NewTurn): Promise<void> {
  await tx.query(insertTurnSql, [tenant, sessionId, turnId, ordinal, personaId ?? null])
}

const noSession = (): SluiceError => new SluiceError('not_found', 'There is no such session')

const enterSql = `
  INSERT INTO agent.session AS session (tenant, session_id, persona_id, strategy, last_ordinal)
  VALUES ($1, $2, $3, COALESCE((SELECT strategy FROM agent.persona WHERE tenant = $1 AND persona_id = $3), 'enqueue'), 1)
  ON CONFLICT (tenant, session_id) DO UPDATE SET last_ordinal = session.last_ordinal + 1, updated_at = clock_timestamp()
  RETURNING strategy, last_ordinal AS ordinal, EXISTS (SELECT FROM agent.persona WHERE tenant = $1 AND persona_id = $3) AS known`

const lockSql = `
  UPDATE agent.session SET last_ordinal = last_ordinal + $3, updated_at = clock_timestamp()
  WHERE tenant = $1 AND session_id = $2 RETURNING strategy, last_ordinal AS ordinal`

const openSql = `
  SELECT turn_id FROM agent.turn
  WHERE tenant = $1 AND session_id = $2 AND state IN ('accepted', 'queued', 'thinking', 'awaiting-tools') AND interrupt_cause IS NULL
  ORDER BY state IN ('thinking', 'awaiting-tools') DESC, ordinal LIMIT 1`

const turnSql = `
  SELECT state IN ('accepted', 'queued', 'thinking', 'awaiting-tools') AS open FROM agent.turn
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3`

const stopSql = `
  WITH interrupt AS (
    UPDATE agent.session SET interrupt_seq = interrupt_seq + 1 WHERE tenant = $1 AND session_id = $2 RETURNING interrupt_seq
  )
  UPDATE agent.turn SET interrupt_seq = interrupt.interrupt_seq, interrupt_cause = $3 FROM interrupt
  WHERE tenant = $1 AND session_id = $2 AND state IN ('accepted', 'queued', 'thinking', 'awaiting-tools')
    AND interrupt_cause IS NULL AND ($4::text IS NULL OR turn_id = $4)`

const insertTurnSql = `
  INSERT INTO agent.turn (tenant, session_id, turn_id, ordinal, state, persona_id) VALUES ($1, $2, $3, $4, 'accepted', $5)`
