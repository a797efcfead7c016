// Is a sent event where its outbox row says? Reads those places of the log and compares the ids.

import type { Queryable } from '../../database/index.ts'
import type { EventLog } from '../../event-log/index.ts'

export interface LogPositions {
  /** Rows whose place was looked at. */
  readonly read: number
  /** Rows whose place the log no longer keeps. */
  readonly expired: number
  readonly offenders: readonly string[]
}

interface SentRow {
  readonly topic: string
  readonly key: string
  readonly sequence: number
  readonly id: string
  readonly partition: number
  readonly offset: number
}

const sentSql = `SELECT topic, key, sequence, id, partition, log_offset AS "offset" FROM sluice.outbox
WHERE state = 'sent' AND partition IS NOT NULL AND log_offset IS NOT NULL ORDER BY at DESC LIMIT $1`

/** The newest `limit` rows. @throws what the log or the database threw. */
export async function provePositions(
  { limit }: { readonly limit: number },
  { database, eventLog }: { readonly database: Queryable; readonly eventLog: Pick<EventLog, 'bounds' | 'read'> },
): Promise<LogPositions> {
  const { rows } = await database.query<SentRow>(sentSql, [limit])
  const earliest = new Map<string, number>()
  const offenders: string[] = []
  let expired = 0
  for (const row of rows) {
    const { topic, partition, offset } = row
    const place = `${topic}/${partition}`
    const first = earliest.get(place) ?? (await eventLog.bounds(topic, partition)).earliest
    earliest.set(place, first)
    if (offset < first) {
      expired += 1
      continue
    }
    const [record] = await eventLog.read({ topic, partition, offset, maxRecords: 1, maxWaitMs: 0 })
    const found = record?.offset === offset ? idOf(record.headers) : undefined
    if (found === row.id) continue
    const what = found === undefined ? 'the log has no event there' : `the log has event ${found} there`
    offenders.push(
      `outbox ${topic} key ${row.key} sequence ${row.sequence}, event ${row.id} at ${place}@${offset}: ${what}`,
    )
  }
  return { read: rows.length - expired, expired, offenders }
}

const idOf = (headers: readonly (readonly [string, Buffer | null])[]): string | undefined =>
  headers.find(([name]) => name === 'ce_id')?.[1]?.toString()
