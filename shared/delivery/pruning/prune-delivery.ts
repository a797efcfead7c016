// Removes rows of delivery that have done their work, in batches, so that no statement holds locks for long.
//
// X1  What waits for somebody – an event in a lane, a dead letter, an event on its way to the log – is never removed, however old.
// X2  A pass ends when its signal does; the next goes on where it stopped. Any number of processes may prune at once.

import type { Queryable } from '../../database/index.ts'

/** The values of the metric label `table`. */
export type PrunedTable = 'outbox' | 'outbox_key' | 'inbox' | 'replay'

export interface PruneLimits {
  /** How long sent rows are kept for those who look for what was sent, in milliseconds. */
  readonly sentMs: number
  /** How long the marks of done events are kept, in milliseconds: longer than any event that is still taken is old. */
  readonly doneMs: number
  /** How long keys that nobody uses are kept, in milliseconds: longer than any topic keeps records. Default: `doneMs`. */
  readonly keysMs?: number
  /** How long replayed dead letters and their entries in the ledger are kept, in milliseconds. */
  readonly replayedMs: number
}

export type Pruned = Readonly<Record<PrunedTable, number>>

export interface DeliveryPruner {
  prune(database: Queryable, signal: AbortSignal): Promise<Pruned>
}

const batch = 1_000
/** Keys of one pass that are looked at. All are, in turn. */
const keysOfPass = 5_000

const ago = (parameter: string): string => `clock_timestamp() - ${parameter}::bigint * interval '1 millisecond'`

// A row is never sent before it was made, so the index on `at` finds what may go. ORDER BY makes the planner take it.
const outboxSql = `DELETE FROM sluice.outbox WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM sluice.outbox WHERE at < ${ago('$1')} AND state = 'sent' AND sent_at < ${ago('$1')}
  ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))`

const inboxSql = `DELETE FROM sluice.inbox WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM sluice.inbox WHERE state = 'done' AND at < ${ago('$1')} ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))`

// An inbox row that says `dead` needs its dead letter: then the event died again, and the newest letter stays.
const replaySql = `WITH over AS (
  SELECT entry.dead_letter_id FROM sluice.replay entry
  JOIN sluice.dead_letter letter USING (dead_letter_id)
  WHERE entry.action = 'replayed' AND entry.at < ${ago('$1')}
    AND NOT EXISTS (SELECT FROM sluice.inbox i
      WHERE i.function = letter.function AND i.source = letter.source AND i.id = letter.id AND i.state = 'dead'
        AND NOT EXISTS (SELECT FROM sluice.dead_letter newer
          WHERE newer.function = letter.function AND newer.source = letter.source AND newer.id = letter.id AND newer.at > letter.at))
  ORDER BY entry.at LIMIT $2 FOR UPDATE OF entry SKIP LOCKED
), entries AS (
  DELETE FROM sluice.replay USING over WHERE replay.dead_letter_id = over.dead_letter_id
)
DELETE FROM sluice.dead_letter USING over WHERE dead_letter.dead_letter_id = over.dead_letter_id`

const keysSql = 'SELECT topic, key, removed FROM sluice.prune_outbox_keys($1, $2, $3, $4)'

interface LookedAt {
  readonly topic: string
  readonly key: string
  readonly removed: number
}

const begin = { topic: '', key: '' }

export function createDeliveryPruner({ sentMs, doneMs, replayedMs, keysMs = doneMs }: PruneLimits): DeliveryPruner {
  let after = begin

  async function pruneKeys(database: Queryable, signal: AbortSignal): Promise<number> {
    let removed = 0
    for (let looked = 0; looked < keysOfPass && !signal.aborted; looked += batch) {
      const { rows } = await database.query<LookedAt>(keysSql, [after.topic, after.key, keysMs, batch])
      const [last] = rows
      after = last ?? begin
      if (last === undefined) break
      removed += last.removed
    }
    return removed
  }

  return {
    prune: async (database, signal) => ({
      outbox: await inBatches(signal, () => database.query(outboxSql, [sentMs, batch])),
      inbox: await inBatches(signal, () => database.query(inboxSql, [doneMs, batch])),
      replay: await inBatches(signal, () => database.query(replaySql, [replayedMs, batch])),
      outbox_key: await pruneKeys(database, signal),
    }),
  }
}

/** `remove` takes away at most a batch. Returns how many rows went. */
export async function inBatches(
  signal: AbortSignal,
  remove: () => Promise<{ readonly rowCount: number }>,
): Promise<number> {
  let removed = 0
  for (let last = batch; last >= batch && !signal.aborted; removed += last) last = (await remove()).rowCount
  return removed
}
