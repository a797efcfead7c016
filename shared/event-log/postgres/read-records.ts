// One look at a partition, bounded in records and bytes.

import type { Queryable } from '../../database/index.ts'
import type { LogRecord, ReadOptions } from '../event-log.ts'
import { loadHeaders, type StoredHeaders } from './record-headers.ts'

/** A look returns no further record once it has this many bytes of values. */
const readBytes = 8 * 1_048_576

interface Row {
  readonly offset: number
  readonly key: Buffer | null
  readonly headers: StoredHeaders
  readonly value: Buffer | null
  readonly timestamp_ms: number
}

// octet_length of a stored bytea does not read its content, so records beyond the bytes cost nothing.
const select = `
  SELECT "offset", key, headers, value, timestamp_ms FROM (
    SELECT page.*, sum(coalesce(octet_length(value), 0)) OVER (ORDER BY "offset") - coalesce(octet_length(value), 0) AS before
    FROM (
      SELECT "offset", key, headers, value, timestamp_ms FROM sluice.log_record
      WHERE topic = $1 AND partition = $2 AND "offset" >= $3 ORDER BY "offset" LIMIT $4
    ) AS page
  ) AS sized
  WHERE before < $5 ORDER BY "offset"`

export async function readRecords(
  database: Queryable,
  { topic, partition, offset, maxRecords }: ReadOptions,
): Promise<readonly LogRecord[]> {
  const { rows } = await database.query<Row>(select, [topic, partition, offset, maxRecords, readBytes])
  return rows.map((row) => ({
    topic,
    partition,
    offset: row.offset,
    key: row.key,
    headers: loadHeaders(row.headers),
    value: row.value,
    timestampMs: row.timestamp_ms,
  }))
}
