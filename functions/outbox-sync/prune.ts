// Removes what has done its work: rows of delivery (shared/delivery/pruning), answers to idempotency keys, and records of the log
// where it lives in Postgres (Kafka keeps its own retention). A pass has a time limit of its own; the next goes on.

import type { Database } from '../../shared/database/index.ts'
import { createDeliveryPruner, inBatches, type PruneLimits } from '../../shared/delivery/index.ts'
import { prunePostgresEventLog } from '../../shared/event-log/index.ts'
import { allTopics, defaultRetentionMs } from '../../shared/events/index.ts'
import type { Instruments } from '../../shared/telemetry/index.ts'

export interface PruneOptions extends Partial<PruneLimits> {
  /** How long records of the Postgres log are kept, in milliseconds. Undefined: the log is elsewhere. */
  readonly logRetentionMs?: number | undefined
  /** How long an idempotency key stands for its answer, in milliseconds. Default: a day. */
  readonly answeredMs?: number
  /** Longest pass, in milliseconds. Default 10,000. */
  readonly passMs?: number
}

export interface PruneDeps {
  readonly database: Database
  readonly instruments: Pick<Instruments, 'rowsPruned'>
}

/** One pass. Returns how many rows were removed. */
export type Prune = (signal: AbortSignal) => Promise<number>

const dayMs = 86_400_000
const batch = 1_000

/** As the topics keep them in Kafka; dead letters longer there. */
export const postgresLogRetentionMs: number = defaultRetentionMs

/** Marks of done events outlive the events that are still taken by so long: clocks disagree. */
const marginMs = dayMs

/** Of dead-letter topics: longer than marks are kept. */
const longestRetentionMs = Math.max(...allTopics.map((topic) => topic.retentionMs))

export const doneMsOf = ({ inboxRetentionDays }: { readonly inboxRetentionDays: number }): number =>
  inboxRetentionDays * dayMs + marginMs

export function createPrune(options: PruneOptions, { database, instruments }: PruneDeps): Prune {
  const { sentMs = dayMs, doneMs = 15 * dayMs, replayedMs = 90 * dayMs, answeredMs = dayMs } = options
  const { logRetentionMs, passMs = 10_000, keysMs = Math.max(doneMs, longestRetentionMs + marginMs) } = options
  const delivery = createDeliveryPruner({ sentMs, doneMs, replayedMs, keysMs })
  return async (stopping) => {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(passMs)])
    const pruned = {
      ...(await delivery.prune(database, signal)),
      idempotency_key: await inBatches(signal, () => database.query(keysSql, [answeredMs, batch])),
      log_record:
        logRetentionMs === undefined || signal.aborted
          ? 0
          : await prunePostgresEventLog(database, { retentionMs: logRetentionMs }),
    } as const
    for (const [table, rows] of Object.entries(pruned)) {
      instruments.rowsPruned.inc({ table: table as keyof typeof pruned }, rows)
    }
    return Object.values(pruned).reduce((sum, rows) => sum + rows, 0)
  }
}

const keysSql = `
  DELETE FROM agent.idempotency_key WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM agent.idempotency_key WHERE at < clock_timestamp() - $1::bigint * interval '1 millisecond'
    ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))`
