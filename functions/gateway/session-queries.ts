// What readers see of sessions: lists, one session with its last turns, and its durable events by position.

import type { Queryable } from '../../shared/database/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { sessionIdPattern } from './request-schemas.ts'

export interface SessionSummary {
  readonly session_id: string
  readonly persona_id: string | null
  readonly strategy: string
  readonly paused: boolean
  readonly last_position: number
  readonly created_at: string
  readonly updated_at: string
}

export interface SessionPage {
  readonly sessions: readonly SessionSummary[]
  readonly next_cursor: string | null
}

/** A durable event as clients see it, on the stream as in the list. */
export interface ReadEvent {
  readonly position: number
  readonly event_id: string
  readonly type: string
  readonly turn_id: string
  readonly at: string
  readonly data: object
}

export interface SessionBounds {
  readonly last: number
  /** The first position still kept; `last + 1` when there is none. */
  readonly first: number
}

export interface SessionKey {
  readonly tenant: string
  readonly sessionId: string
}

export async function listSessions(
  database: Queryable,
  tenant: string,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<SessionPage> {
  const [at, id] = cursor === undefined ? [null, null] : readCursor(cursor)
  const { rows } = await database.query<SessionSummary & { cursor_at: string }>(listSql, [tenant, limit + 1, at, id])
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const more = rows.length > limit && last !== undefined
  return {
    sessions: page.map(({ cursor_at: _at, ...summary }) => summary),
    next_cursor: more ? writeCursor(last.cursor_at, last.session_id) : null,
  }
}

/** @throws SluiceError `not_found`, also for a session of another tenant. */
export async function readSession(database: Queryable, { tenant, sessionId }: SessionKey): Promise<object> {
  const { rows } = await database.query<object>(sessionSql, [tenant, sessionId])
  const [session] = rows
  if (session === undefined) throw noSession()
  return session
}

/** @throws SluiceError `not_found`. */
export async function readBounds(database: Queryable, { tenant, sessionId }: SessionKey): Promise<SessionBounds> {
  const { rows } = await database.query<SessionBounds>(boundsSql, [tenant, sessionId])
  const [bounds] = rows
  if (bounds === undefined) throw noSession()
  return bounds
}

export async function readEvents(
  database: Queryable,
  { tenant, sessionId }: SessionKey,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly ReadEvent[]> {
  const { rows } = await database.query<ReadEvent>(eventsSql, [tenant, sessionId, after, limit])
  return rows
}

export interface EventPage {
  readonly events: readonly ReadEvent[]
  /** There may be more behind them. */
  readonly more: boolean
}

/** As many as fit into `bytes`, and at least one: a reader that is slow must not keep a hundred large ones in memory. */
export async function readEventPage(
  database: Queryable,
  { tenant, sessionId }: SessionKey,
  { after, limit, bytes }: { readonly after: number; readonly limit: number; readonly bytes: number },
): Promise<EventPage> {
  const { rows } = await database.query<ReadEvent & { readonly found: number }>(pageSql, [
    tenant,
    sessionId,
    after,
    limit,
    bytes,
  ])
  const events = rows.map(({ found: _found, ...event }) => event)
  const [{ found } = { found: 0 }] = rows
  return { events, more: found > events.length || found === limit }
}

const noSession = (): SluiceError => new SluiceError('not_found', 'There is no such session')

// The time goes to and fro as the database wrote it: JavaScript's clock has no microseconds, and a cursor must not skip a row.
const sessionIdForm = new RegExp(sessionIdPattern)

const writeCursor = (at: string, id: string): string => Buffer.from(JSON.stringify([at, id])).toString('base64url')

function readCursor(cursor: string): readonly [string, string] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const [at, id] = Array.isArray(value) ? (value as unknown[]) : []
    const isTime = typeof at === 'string' && /^\d{1,17}$/.test(at)
    if (isTime && typeof id === 'string' && sessionIdForm.test(id)) return [at, id]
  } catch {
    // falls through: whatever it is, it is none of ours
  }
  throw new SluiceError('invalid_parameter', 'cursor is not one that a page gave', {
    details: { detail: 'querystring.cursor is not valid' },
  })
}

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const summary = `session.session_id, session.persona_id, session.strategy, session.paused, session.last_position,
    ${iso('session.created_at')} AS created_at, ${iso('session.updated_at')} AS updated_at`

const listSql = `
  SELECT ${summary}, (EXTRACT(EPOCH FROM session.updated_at) * 1000000)::bigint::text AS cursor_at
  FROM agent.session AS session
  WHERE session.tenant = $1
    AND ($3::bigint IS NULL OR (session.updated_at, session.session_id) < (to_timestamp(0) + $3::bigint * interval '1 microsecond', $4))
  ORDER BY session.updated_at DESC, session.session_id DESC LIMIT $2`

const sessionSql = `
  SELECT ${summary}, session.metadata,
    COALESCE((SELECT json_agg(turn ORDER BY turn.ordinal) FROM (
      SELECT latest.ordinal, latest.turn_id, latest.state, latest.rounds AS tool_rounds, latest.reason,
        ${iso('latest.accepted_at')} AS accepted_at, ${iso('latest.started_at')} AS started_at, ${iso('latest.ended_at')} AS ended_at
      FROM agent.turn AS latest WHERE latest.tenant = $1 AND latest.session_id = $2
      ORDER BY latest.ordinal DESC LIMIT 20) AS turn), '[]') AS turns
  FROM agent.session AS session WHERE session.tenant = $1 AND session.session_id = $2`

const boundsSql = `
  SELECT session.last_position AS last, COALESCE((
    SELECT event.position FROM agent.session_event AS event
    WHERE event.tenant = $1 AND event.session_id = $2 ORDER BY event.position LIMIT 1), session.last_position + 1) AS first
  FROM agent.session AS session WHERE session.tenant = $1 AND session.session_id = $2`

const eventsSql = `
  SELECT event.position, event.event_id, event.type, event.turn_id, ${iso('event.at')} AS at, event.data
  FROM agent.session_event AS event
  WHERE event.tenant = $1 AND event.session_id = $2 AND event.position > $3
  ORDER BY event.position LIMIT $4`

const pageSql = `
  WITH page AS (${eventsSql}),
  measured AS (
    SELECT page.*, sum(octet_length(page.data::text)) OVER (ORDER BY page.position)::bigint AS through,
      first_value(page.position) OVER (ORDER BY page.position) AS first, count(*) OVER ()::integer AS found
    FROM page)
  SELECT position, event_id, type, turn_id, at, data, found FROM measured
  WHERE through <= $5 OR position = first ORDER BY position`
