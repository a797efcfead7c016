// Reads and writes the replica's rows of one memory, in the transaction of the event.
//
// AW1  Exactly one row of a memory is its newest, and only that one can be found.
// AW2  A memory that was forgotten leaves nothing of what it said: its earlier rows go with the write that forgets it.
// AW3  What was applied is not unapplied: the marks up to it go in the same transaction.

import type { Transaction } from '../../shared/database/index.ts'
import type { MemoryRecordWritten } from '../../shared/events/index.ts'
import { wordsOf } from '../../shared/memory/index.ts'
import type { StreamState } from './judge-write.ts'

interface StateRow {
  readonly sequence: number
  readonly checksum: string
  readonly newest: boolean
}

export async function readState(
  tx: Transaction,
  tenant: string,
  { key, sequence }: MemoryRecordWritten,
): Promise<StreamState> {
  const { rows } = await tx.query<StateRow>(stateSql, [tenant, key, sequence])
  return {
    newest: rows.find(({ newest }) => newest),
    same: rows.find((row) => row.sequence === sequence)?.checksum,
  }
}

/** Sent together: one round trip. */
export async function applyWrite(tx: Transaction, tenant: string, write: MemoryRecordWritten): Promise<void> {
  const { key, sequence, operation, namespace, session_id = null, content, language, metadata } = write
  const forgotten = operation === 'forget'
  await Promise.all([
    tx.query(forgotten ? eraseSql : supersedeSql, [tenant, key]),
    tx.query(insertSql, [
      tenant,
      key,
      sequence,
      operation,
      namespace,
      session_id,
      content,
      language,
      JSON.stringify(metadata),
      forgotten ? null : wordsOf(content),
      write.checksum,
      write.written_at,
    ]),
    tx.query(appliedSql, [tenant, key, sequence]),
  ])
}

const stateSql = `
  SELECT sequence, encode(checksum, 'hex') AS checksum, newest FROM agent.memory_replica
  WHERE tenant = $1 AND key = $2 AND (newest OR sequence = $3) FOR UPDATE`

const supersedeSql = `
  UPDATE agent.memory_replica SET newest = false, search = NULL, replicated_at = clock_timestamp()
  WHERE tenant = $1 AND key = $2 AND newest`

const eraseSql = `DELETE FROM agent.memory_replica WHERE tenant = $1 AND key = $2`

const insertSql = `
  INSERT INTO agent.memory_replica
    (tenant, key, sequence, operation, namespace, session_id, content, language, metadata, search, checksum, written_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, agent.memory_known_language($8), $9::jsonb,
          CASE WHEN $10::text[] IS NOT NULL THEN agent.memory_search($1, agent.memory_known_language($8), $10) END,
          decode($11, 'hex'), $12)`

const appliedSql = `DELETE FROM agent.memory_unapplied WHERE tenant = $1 AND key = $2 AND sequence <= $3`
