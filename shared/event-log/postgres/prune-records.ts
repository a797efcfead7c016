// Retention. Time is the database's. Works in small transactions, so that readers and appenders are never held up long.

import type { Database, Transaction } from '../../database/index.ts'

export interface PruneOptions {
  /** Records younger than this stay, in milliseconds. Longer than the longest a consumer may be away. */
  readonly retentionMs: number
}

/** Deletes at most so many records in one transaction. */
const batchSize = 2_000

/**
 * Removes what is older than the retention: all records of a topic, or, where the topic is compacted, those whose key has a
 * later record. Safe to run from several processes. @returns how many records went.
 */
export async function prunePostgresEventLog(database: Database, { retentionMs }: PruneOptions): Promise<number> {
  const { rows } = await database.query<Partition>(
    'SELECT p.topic, p.partition, t.compacted FROM sluice.log_partition p JOIN sluice.log_topic t ON t.name = p.topic ORDER BY 1, 2',
  )
  let total = 0
  for (const partition of rows) {
    for (;;) {
      const deleted = await database.transaction((tx) => deleteBatch(tx, partition, retentionMs))
      total += deleted
      if (deleted < batchSize) break
    }
  }
  return total
}

interface Partition {
  readonly topic: string
  readonly partition: number
  readonly compacted: boolean
}

async function deleteBatch(
  tx: Transaction,
  { topic, partition, compacted }: Partition,
  retentionMs: number,
): Promise<number> {
  const { rowCount } = await tx.query(compacted ? deleteSuperseded : deleteOldest, [
    topic,
    partition,
    retentionMs,
    batchSize,
  ])
  if (rowCount > 0) await tx.query(noteEarliest, [topic, partition])
  return rowCount
}

// Only from the low end: a record is never deleted before the one below it, whatever the times say.
const deleteOldest = `
  DELETE FROM sluice.log_record WHERE topic = $1 AND partition = $2 AND "offset" < (
    SELECT coalesce(min("offset") FILTER (WHERE young), max("offset") + 1) FROM (
      SELECT "offset", appended_at >= now() - $3 * interval '1 millisecond' AS young FROM sluice.log_record
      WHERE topic = $1 AND partition = $2 ORDER BY "offset" LIMIT $4
    ) AS oldest
  )`

const deleteSuperseded = `
  DELETE FROM sluice.log_record WHERE topic = $1 AND partition = $2 AND "offset" IN (
    SELECT r."offset" FROM sluice.log_record r
    WHERE r.topic = $1 AND r.partition = $2 AND r.appended_at < now() - $3 * interval '1 millisecond'
      AND EXISTS (SELECT FROM sluice.log_record later
                  WHERE later.topic = $1 AND later.partition = $2 AND later.key = r.key AND later."offset" > r."offset")
    ORDER BY r."offset" LIMIT $4
  )`

const noteEarliest = `
  UPDATE sluice.log_partition p SET earliest = coalesce(
    (SELECT min("offset") FROM sluice.log_record r WHERE r.topic = $1 AND r.partition = $2), p.next)
  WHERE p.topic = $1 AND p.partition = $2`
