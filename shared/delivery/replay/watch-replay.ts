// What became of replayed events, read from inbox, lanes and dead letters: the only truth there is about a run.

import type { Queryable } from '../../database/index.ts'

/** A kind of failure: what a replay is meant to have cured. */
export interface FailureKind {
  readonly function: string
  readonly fingerprint: string
  readonly cause: string
}

/** `again`: it failed as before, and is dead or tried once more. `otherwise`: it is dead of something else. */
export type Fate = 'done' | 'waiting' | 'again' | 'otherwise'

export interface WatchedEvent {
  readonly fate: Fate
  /** Of the last failure, if there was one. */
  readonly detail: string | null
}

const fateSql = `SELECT inbox.state, parked.attempts, parked.cause AS parked_cause, parked.detail,
  newer.fingerprint AS newer_fingerprint, newer.message AS newer_message
FROM sluice.dead_letter AS letter
LEFT JOIN sluice.inbox ON inbox.function = letter.function AND inbox.source = letter.source AND inbox.id = letter.id
LEFT JOIN sluice.parked ON parked.function = letter.function AND parked.source = letter.source AND parked.id = letter.id
LEFT JOIN LATERAL (
  SELECT later.fingerprint, later.message FROM sluice.dead_letter AS later
  WHERE later.function = letter.function AND later.source = letter.source AND later.id = letter.id
    AND later.at > (SELECT entry.at FROM sluice.replay AS entry WHERE entry.dead_letter_id = letter.dead_letter_id)
  ORDER BY later.at DESC LIMIT 1
) AS newer ON true
WHERE letter.dead_letter_id = $1`

interface FateRow {
  readonly state: 'done' | 'parked' | 'dead' | null
  readonly attempts: number | null
  readonly parked_cause: string | null
  readonly detail: string | null
  readonly newer_fingerprint: string | null
  readonly newer_message: string | null
}

export async function fateOf(queryable: Queryable, deadLetterId: string, kind: FailureKind): Promise<WatchedEvent> {
  const { rows } = await queryable.query<FateRow>(fateSql, [deadLetterId])
  const [row] = rows
  if (row?.state === 'done') return { fate: 'done', detail: null }
  if (row?.state === 'dead') {
    const again = row.newer_fingerprint === kind.fingerprint
    return { fate: again ? 'again' : 'otherwise', detail: row.newer_message }
  }
  // It did not end in a dead letter yet, but the failure is the old one, and every further try would be as good as the last.
  if ((row?.attempts ?? 0) > 0 && row?.parked_cause === kind.cause) return { fate: 'again', detail: row.detail }
  return { fate: 'waiting', detail: row?.detail ?? null }
}

const returnedSql = `SELECT letter.message AS detail FROM sluice.dead_letter AS letter
  WHERE letter.function = $1 AND letter.fingerprint = $2 AND letter.at > $4::timestamptz
UNION ALL
SELECT parked.detail FROM sluice.replay AS entry
  JOIN sluice.dead_letter AS letter USING (dead_letter_id)
  JOIN sluice.parked ON parked.function = letter.function AND parked.source = letter.source AND parked.id = letter.id
  WHERE entry.run_id = $5 AND letter.function = $1 AND letter.fingerprint = $2 AND parked.attempts > 0 AND parked.cause = $3
LIMIT 1`

/** Did the old failure come back since then, in whatever event? Its message, if so. */
export async function failureReturned(
  queryable: Queryable,
  { function: name, fingerprint, cause }: FailureKind,
  { since, runId }: { readonly since: string; readonly runId: string },
): Promise<string | undefined> {
  const { rows } = await queryable.query<{ detail: string | null }>(returnedSql, [
    name,
    fingerprint,
    cause,
    since,
    runId,
  ])
  const [row] = rows
  return row === undefined ? undefined : (row.detail ?? '')
}

const countSql = `SELECT
  count(*) FILTER (WHERE inbox.state = 'done')::int AS done,
  count(*) FILTER (WHERE inbox.state = 'parked')::int AS waiting,
  count(*) FILTER (WHERE inbox.state = 'dead')::int AS dead
FROM sluice.replay AS entry
JOIN sluice.dead_letter AS letter USING (dead_letter_id)
JOIN sluice.inbox ON inbox.function = letter.function AND inbox.source = letter.source AND inbox.id = letter.id
WHERE entry.run_id = $1 AND entry.action = 'replayed'`

export interface RunCounts {
  readonly done: number
  readonly waiting: number
  readonly dead: number
}

export async function countRun(queryable: Queryable, runId: string): Promise<RunCounts> {
  const { rows } = await queryable.query<RunCounts>(countSql, [runId])
  return rows[0] ?? { done: 0, waiting: 0, dead: 0 }
}
