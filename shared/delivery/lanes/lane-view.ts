// Lanes as a person sees them: which wait, for what and since when, and what is in one. What is in a lane belongs to tenants;
// a lane counts as that of the event at its head, and nobody sees an event of another tenant.

import type { Queryable } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'

export type LaneState = 'held' | 'running' | 'waiting'

export interface LaneName {
  readonly function: string
  readonly key: string
  /** Undefined: of any tenant. */
  readonly tenant?: string | undefined
}

export interface LaneSummary {
  readonly function: string
  readonly key: string
  readonly tenant: string
  /** `held`: for a person. `waiting`: for `due_at`, or for `waits_for`. */
  readonly state: LaneState
  /** Why it is held: the code of the failure. */
  readonly held: string | null
  /** The dependency whose breaker is open. */
  readonly waits_for: string | null
  readonly due_at: string
  readonly events: number
  readonly head: LaneEvent
}

export interface LaneEvent {
  readonly position: number
  readonly source: string
  readonly id: string
  readonly type: string
  readonly attempts: number
  /** Code of the last failure. */
  readonly cause: string | null
  readonly detail: string | null
  readonly trace: string | null
  readonly parked_at: string
}

export interface ListOptions {
  readonly tenant?: string | undefined
  readonly function?: string | undefined
  readonly state?: LaneState | undefined
  readonly limit: number
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
}

export interface LanePage {
  readonly lanes: readonly LaneSummary[]
  readonly next_cursor: string | null
}

/** In the order of function and key. @throws SluiceError `invalid_parameter` for a cursor that no page gave. */
export async function listLanes(
  database: Queryable,
  { tenant, function: name, state, limit, cursor }: ListOptions,
): Promise<LanePage> {
  const [afterFunction, afterKey] = cursor === undefined ? [null, null] : readCursor(cursor)
  const values = [tenant ?? null, name ?? null, state ?? null, afterFunction, afterKey, limit + 1]
  const { rows } = await database.query<LaneSummary>(listSql, values)
  const lanes = rows.slice(0, limit)
  const last = lanes.at(-1)
  return { lanes, next_cursor: rows.length > limit && last !== undefined ? writeCursor(last) : null }
}

export interface LaneDetail extends LaneSummary {
  /** From the head on, as many as were asked for. */
  readonly parked: readonly LaneEvent[]
}

/** @throws SluiceError `not_found`, also for a lane of another tenant. */
export async function readLane(
  database: Queryable,
  { function: name, key, tenant, most = 50 }: LaneName & { readonly most?: number },
): Promise<LaneDetail> {
  const { rows } = await database.query<LaneDetail>(laneSql, [name, key, tenant ?? null, most])
  const [lane] = rows
  if (lane === undefined) throw noLane()
  return lane
}

export const noLane = (): SluiceError => new SluiceError('not_found', 'There is no such lane')

const writeCursor = ({ function: name, key }: LaneSummary): string =>
  Buffer.from(JSON.stringify([name, key])).toString('base64url')

function readCursor(cursor: string): readonly [string, string] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const [name, key] = Array.isArray(value) ? (value as unknown[]) : []
    if (
      typeof name === 'string' &&
      typeof key === 'string' &&
      !cursor.includes('\0') &&
      !`${name}${key}`.includes('\0')
    )
      return [name, key]
  } catch {
    // falls through: whatever it is, it is none of ours
  }
  throw new SluiceError('invalid_parameter', 'cursor is not one that a page gave', {
    details: { detail: 'querystring.cursor is not valid' },
  })
}

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const event = `json_build_object('position', p.position, 'source', p.source, 'id', p.id, 'type', p.event->>'type',
  'attempts', p.attempts, 'cause', p.cause, 'detail', p.detail, 'trace', p.trace, 'parked_at', ${iso('p.at')})`

const stateOf = `CASE WHEN l.held IS NOT NULL THEN 'held' WHEN l.lease_until > now() THEN 'running' ELSE 'waiting' END`

const ofLane = 'FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key'

const summary = `l.function, l.key, l.tenant, ${stateOf} AS state, l.held, l.waits_for, ${iso('l.due_at')} AS due_at,
  (SELECT count(*)::int ${ofLane} AND p.tenant = l.tenant) AS events,
  (SELECT ${event} ${ofLane} ORDER BY p.position LIMIT 1) AS head`

const listSql = `SELECT ${summary} FROM sluice.lane l
WHERE ($1::text IS NULL OR l.tenant = $1) AND ($2::text IS NULL OR l.function = $2) AND ($3::text IS NULL OR ${stateOf} = $3)
  AND ($4::text IS NULL OR (l.function, l.key) > ($4, $5))
ORDER BY l.function, l.key LIMIT $6`

const laneSql = `SELECT ${summary},
  (SELECT json_agg(own.event ORDER BY own.position) FROM (
    SELECT ${event} AS event, p.position ${ofLane} AND p.tenant = l.tenant ORDER BY p.position LIMIT $4) AS own) AS parked
FROM sluice.lane l WHERE l.function = $1 AND l.key = $2 AND ($3::text IS NULL OR l.tenant = $3)`
