// Removes what has done its work: sent outbox rows, answers to idempotency keys, and records of the log where it lives in
// Postgres (Kafka keeps its own retention). In small batches, so that no pass holds locks for long; a pass that was cut short
// goes on with the next.
//
// Rows of the inbox stay: they are what makes a late repeat harmless, and outlive every topic's retention.

import type { Database } from '../../shared/database/index.ts'
import { defaultRetentionMs } from '../../shared/events/index.ts'
import { prunePostgresEventLog } from '../../shared/event-log/index.ts'

export interface PruneOptions {
  /** How long records of the Postgres log are kept, in milliseconds. Undefined: the log is elsewhere. */
  readonly logRetentionMs?: number | undefined
  /** How long sent rows are kept for those who look for what was sent, in seconds. */
  readonly outboxSeconds?: number
  /** How long an idempotency key stands for its answer, in seconds. */
  readonly idempotencySeconds?: number
}

const batch = 1_000

/** As the topics keep them in Kafka; dead letters longer there. */
export const postgresLogRetentionMs: number = defaultRetentionMs

/** Returns how many rows were removed. */
export async function prune(
  database: Database,
  { outboxSeconds = 86_400, idempotencySeconds = 86_400, logRetentionMs }: PruneOptions,
  signal: AbortSignal,
): Promise<number> {
  const outbox = await inBatches(signal, () => database.query(outboxSql, [outboxSeconds, batch]))
  const keys = await inBatches(signal, () => database.query(keysSql, [idempotencySeconds, batch]))
  const records =
    logRetentionMs === undefined || signal.aborted
      ? 0
      : await prunePostgresEventLog(database, { retentionMs: logRetentionMs })
  return outbox + keys + records
}

async function inBatches(signal: AbortSignal, remove: () => Promise<{ readonly rowCount: number }>): Promise<number> {
  let removed = 0
  for (let last = batch; last === batch && !signal.aborted; removed += last) last = (await remove()).rowCount
  return removed
}

const outboxSql = `
  DELETE FROM sluice.outbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM sluice.outbox WHERE state = 'sent' AND sent_at < clock_timestamp() - $1 * interval '1 second' LIMIT $2))`

const keysSql = `
  DELETE FROM agent.idempotency_key WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM agent.idempotency_key WHERE at < clock_timestamp() - $1 * interval '1 second' LIMIT $2))`
