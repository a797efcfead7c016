// Writes of a memory: the record, the mark that the replica lacks it, and the event for the replica commit together.
//
// WM1  Writes of a key are one chain: the record's row is locked by the statement that allots the sequence, and each write
//      names the checksum of the one before (shared/memory/write-chain.ts).
// WM2  A forgotten memory keeps its row without content, so its chain goes on when it is written again.

import { v7 as uuid } from 'uuid'
import type { Effects } from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { memoryRecordWritten, type MemoryRecordWritten } from '../../shared/events/index.ts'
import { checksumOf, formatPosition, streamOf, wordsOf } from '../../shared/memory/index.ts'
import type { RememberBody } from './request-schemas.ts'

export interface Written {
  readonly key: string
  readonly position: string
}

export async function rememberMemory(effects: Effects, tenant: string, memory: RememberBody): Promise<Written> {
  const { key = uuid(), namespace, session_id, content, language, metadata } = memory
  const said = [namespace, session_id ?? null, content, JSON.stringify(metadata)]
  const { rows } = await effects.tx.query<RecordRow>(rememberSql, [
    tenant,
    key,
    ...said,
    language ?? null,
    language === undefined ? wordsOf(content) : [],
  ])
  return chain(effects, tenant, { row: rows[0], operation: 'remember' })
}

/** @throws SluiceError `not_found`, also when it was forgotten before. */
export async function forgetMemory(effects: Effects, tenant: string, key: string): Promise<Written> {
  const { rows } = await effects.tx.query<RecordRow>(forgetSql, [tenant, key])
  return chain(effects, tenant, { row: rows[0], operation: 'forget' })
}

/** The present state once more, which the replica takes although writes are missing there. @throws SluiceError `not_found`. */
export async function restateMemory(effects: Effects, tenant: string, key: string): Promise<Written> {
  const { rows } = await effects.tx.query<RecordRow>(restateSql, [tenant, key])
  const [row] = rows
  return chain(effects, tenant, { row, operation: row?.deleted === true ? 'forget' : 'remember', restated: true })
}

interface RecordRow {
  readonly key: string
  readonly sequence: number
  readonly deleted: boolean
  readonly namespace: string
  readonly session_id: string | null
  readonly content: string
  readonly language: string
  readonly metadata: Readonly<Record<string, string>>
  readonly written_at: Date
  /** Still the checksum of the write before. */
  readonly checksum: Buffer
}

interface Link {
  readonly row: RecordRow | undefined
  readonly operation: MemoryRecordWritten['operation']
  readonly restated?: boolean
}

async function chain({ tx, emit }: Effects, tenant: string, { row, operation, restated }: Link): Promise<Written> {
  if (row === undefined) throw new SluiceError('not_found', 'There is no such memory')
  const { key, sequence, namespace, session_id, content, language, metadata, checksum: previous } = row
  const unsigned: MemoryRecordWritten = {
    key,
    sequence,
    operation,
    ...(restated === true ? { restated } : {}),
    namespace,
    ...(session_id === null ? {} : { session_id }),
    content,
    language,
    metadata,
    written_at: row.written_at.toISOString(),
    previous: previous.toString('hex'),
    checksum: '',
  }
  const write = { ...unsigned, checksum: checksumOf(tenant, unsigned) }
  await tx.query(linkSql, [tenant, key, sequence, write.checksum, write.written_at])
  emit(memoryRecordWritten, write, {
    key: streamOf(tenant, key),
    subject: key,
    ...(session_id === null ? {} : { sessionId: session_id }),
  })
  return { key, position: formatPosition({ key, sequence }) }
}

const columns = 'key, sequence, deleted, namespace, session_id, content, language, metadata, written_at, checksum'
// The event's time has milliseconds, and the checksum covers it.
const thisMoment = `date_trunc('milliseconds', clock_timestamp())`

const rememberSql = `
  INSERT INTO agent.memory_record AS record (tenant, key, namespace, session_id, content, metadata, language, written_at)
  VALUES ($1, $2, $3, $4, $5, $6::jsonb,
          CASE WHEN $7::text IS NULL THEN agent.memory_language_of($8::text[]) ELSE agent.memory_known_language($7) END, ${thisMoment})
  ON CONFLICT (tenant, key) DO UPDATE SET sequence = record.sequence + 1, deleted = false, namespace = excluded.namespace,
    session_id = excluded.session_id, content = excluded.content, metadata = excluded.metadata, language = excluded.language,
    written_at = excluded.written_at
  RETURNING ${columns}`

const forgetSql = `
  UPDATE agent.memory_record SET sequence = sequence + 1, deleted = true, content = '', metadata = '{}', language = 'und',
    session_id = NULL, written_at = ${thisMoment}
  WHERE tenant = $1 AND key = $2 AND NOT deleted RETURNING ${columns}`

const restateSql = `
  UPDATE agent.memory_record SET sequence = sequence + 1, written_at = ${thisMoment}
  WHERE tenant = $1 AND key = $2 RETURNING ${columns}`

const linkSql = `
  WITH unapplied AS (
    INSERT INTO agent.memory_unapplied (tenant, key, sequence, written_at) VALUES ($1, $2, $3, $5)
  )
  UPDATE agent.memory_record SET checksum = decode($4, 'hex') WHERE tenant = $1 AND key = $2`
