// Reading dead letters: a page of them, newest first, or one with everything that is known about it.

import type { Queryable } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import { filterSql, filterValues, type DeadLetterFilter, type DeadLetterState } from './dead-letter-filter.ts'

export interface DeadLetterSummary {
  readonly dead_letter_id: string
  readonly function: string
  readonly state: DeadLetterState
  /** ISO 8601. */
  readonly at: string
  readonly cause: string
  readonly message: string
  readonly fingerprint: string
  readonly attempts: number
  readonly tenant: string
  /** Of the event; null when it never was one. */
  readonly type: string | null
  readonly source: string | null
  readonly id: string | null
  readonly key: string | null
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
}

export interface DeadLetterDetail extends DeadLetterSummary {
  /** `source`: its KafkaSource gave it up. */
  readonly origin: 'delivery' | 'source'
  readonly trace: string | null
  readonly function_version: string
  readonly config_version: string
  /** In the JSON format of CloudEvents. */
  readonly event: unknown
  readonly headers: unknown
  /** The body as received. */
  readonly raw: Buffer
  /** Steps that the journal keeps; another run takes up after them. */
  readonly steps: readonly { readonly name: string; readonly effect: string; readonly state: string }[]
  readonly ledger: LedgerEntry | null
}

export interface LedgerEntry {
  readonly action: 'replayed' | 'discarded'
  readonly by: string
  readonly reason: string
  readonly at: string
  readonly run_id: string
}

export interface DeadLetterPage {
  readonly dead_letters: readonly DeadLetterSummary[]
  readonly next_cursor: string | null
}

export interface PageOptions {
  readonly limit: number
  readonly cursor?: string | undefined
}

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const summaryColumns = `letter.dead_letter_id, letter.function, letter.state, ${iso('letter.at')} AS at, letter.cause, letter.message,
  letter.fingerprint, letter.attempts, letter.tenant, letter.event->>'type' AS type, letter.source, letter.id, letter.key,
  letter.topic, letter.partition, letter.log_offset AS "offset"`

const pageSql = `SELECT ${summaryColumns}, (EXTRACT(EPOCH FROM letter.at) * 1000000)::bigint::text AS cursor_at
FROM sluice.dead_letter AS letter
WHERE ${filterSql} AND ($9::bigint IS NULL
  OR (letter.at, letter.dead_letter_id) < (to_timestamp(0) + $9::bigint * interval '1 microsecond', $10::uuid))
ORDER BY letter.at DESC, letter.dead_letter_id DESC LIMIT $11`

/** @throws SluiceError `invalid_parameter` for a cursor that no page gave. */
export async function listDeadLetters(
  queryable: Queryable,
  filter: DeadLetterFilter,
  { limit, cursor }: PageOptions,
): Promise<DeadLetterPage> {
  const [at, id] = cursor === undefined ? [null, null] : readCursor(cursor)
  const values = [...filterValues(filter), at, id, limit + 1]
  const { rows } = await queryable.query<DeadLetterSummary & { cursor_at: string }>(pageSql, values)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const more = rows.length > limit && last !== undefined
  return {
    dead_letters: page.map(({ cursor_at: _at, ...summary }) => summary),
    next_cursor: more ? `${last.cursor_at}.${last.dead_letter_id}` : null,
  }
}

// The time as the database wrote it: JavaScript's clock has no microseconds, and a cursor must not skip a row.
function readCursor(cursor: string): readonly [string, string] {
  const [, at, id] = /^(\d{1,17})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(cursor) ?? []
  if (at !== undefined && id !== undefined) return [at, id]
  throw new SluiceError('invalid_parameter', 'cursor is not one that a page gave', {
    details: { detail: 'querystring.cursor is not valid' },
  })
}

const detailSql = `SELECT ${summaryColumns}, letter.origin, letter.trace, letter.function_version, letter.config_version,
  letter.event, letter.headers, letter.raw,
  COALESCE((SELECT json_agg(json_build_object('name', step.name, 'effect', step.effect, 'state', step.state) ORDER BY step.at)
    FROM sluice.step WHERE step.function = letter.function AND step.source = letter.source AND step.id = letter.id), '[]') AS steps,
  (SELECT json_build_object('action', entry.action, 'by', entry.by, 'reason', entry.reason, 'at', ${iso('entry.at')}, 'run_id', entry.run_id)
    FROM sluice.replay AS entry WHERE entry.dead_letter_id = letter.dead_letter_id) AS ledger
FROM sluice.dead_letter AS letter WHERE letter.dead_letter_id = $1 AND ($2::text IS NULL OR letter.tenant = $2)`

export interface DeadLetterKey {
  readonly id: string
  /** Undefined: of whomever. */
  readonly tenant?: string | undefined
}

/** @throws SluiceError `not_found`, also for one of another tenant. */
export async function readDeadLetter(queryable: Queryable, { id, tenant }: DeadLetterKey): Promise<DeadLetterDetail> {
  const { rows } = isUuid(id) ? await queryable.query<DeadLetterDetail>(detailSql, [id, tenant ?? null]) : { rows: [] }
  const [letter] = rows
  if (letter === undefined) throw new SluiceError('not_found', `There is no dead letter ${id}`)
  return letter
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
