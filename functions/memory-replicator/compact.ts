// Compaction: removes what a memory said before, batch by batch. The newest row of a memory is never touched – it carries the
// checksum that the next write must follow – so a stream is as whole afterwards as before.

import type { Queryable } from '../../shared/database/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'

export interface CompactDeps {
  readonly database: Queryable
  readonly log: Logger
  readonly instruments: Pick<Instruments, 'memoryRowsFolded'>
}

/** Returns how many rows were removed. A pass that is cut short goes on with the next. */
export async function compact(
  { database, log, instruments }: CompactDeps,
  { batch = 500 }: { readonly batch?: number },
  signal: AbortSignal,
): Promise<number> {
  let folded = 0
  for (let last = batch; last === batch && !signal.aborted; folded += last) {
    last = (await database.query(foldSql, [batch])).rowCount
    instruments.memoryRowsFolded.inc(last)
  }
  if (folded > 0) log.info({ rows: folded }, 'superseded memories were removed from the replica')
  return folded
}

const foldSql = `
  DELETE FROM agent.memory_replica WHERE (tenant, key, sequence) IN (
    SELECT tenant, key, sequence FROM agent.memory_replica WHERE NOT newest ORDER BY replicated_at LIMIT $1 FOR UPDATE SKIP LOCKED)`
