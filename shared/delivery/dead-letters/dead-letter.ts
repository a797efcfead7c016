// An event, or something that could not become one, that leaves its way for a person to look at. The row is written in the
// transaction that takes the event off its way; a copy for `<topic>.dlq` goes to the outbox in the same transaction.
//
// DL1  An event that was taken becomes a dead letter at most once for each time it was taken: its inbox row decides.
// DL2  What has no inbox row (it cannot be read, or its id is another event's) has an id made of what it is, so that a
//      redelivery of the same record finds its dead letter already there. In binary mode half of an event is in its headers:
//      two events that cannot be read and differ only there are two dead letters.

import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Queryable } from '../../database/index.ts'
import type { ErrorCode } from '../../errors/index.ts'

export interface Death {
  readonly function: string
  /** Identity in the inbox. */
  readonly source: string | null
  readonly id: string | null
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
  readonly key: string | null
  readonly tenant: string
  readonly cause: ErrorCode
  readonly message: string
  readonly fingerprint: string
  readonly attempts: number
  readonly raw: Buffer
  /** As received, in JSON, when there is no event. */
  readonly headers: string | null
  /** In the JSON format of CloudEvents. */
  readonly event: string | null
  readonly trace: string
}

export interface Versions {
  readonly functionVersion: string
  readonly configVersion: string
}

const insertSql = `INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, topic, partition, log_offset, key, tenant,
  cause, message, fingerprint, attempts, raw, headers, event, trace, function_version, config_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (dead_letter_id) DO NOTHING`

/** Returns the id of the dead letter, or undefined when it was there already. `taken`: the event's inbox row guards against repeats. */
export async function insertDeadLetter(
  tx: Queryable,
  death: Death,
  { taken, functionVersion, configVersion }: Versions & { readonly taken: boolean },
): Promise<string | undefined> {
  const id = taken ? uuidv7() : idOf(death)
  const { rowCount } = await tx.query(insertSql, [
    id,
    death.function,
    death.source,
    death.id,
    death.topic,
    death.partition,
    death.offset,
    death.key,
    death.tenant,
    death.cause,
    storable(death.message),
    death.fingerprint,
    death.attempts,
    death.raw,
    death.headers,
    death.event,
    death.trace,
    functionVersion,
    configVersion,
  ])
  return rowCount === 1 ? id : undefined
}

const messageChars = 2_000

/** Text that a `text` column takes: no NUL, no lone surrogate, not endless. */
export const storable = (text: string): string => text.slice(0, messageChars).replaceAll('\0', '\uFFFD').toWellFormed()

/** A UUID (version 8, RFC 9562 §5.8) of what the dead letter is. */
function idOf({ function: name, source, id, topic, partition, offset, headers, raw }: Death): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([name, source, id, topic, partition, offset, ...attributesIn(headers)]))
    .update(raw)
    .digest()
  const hex = hash.subarray(0, 16).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}

/** The headers that are the event's own and so come again with every redelivery; the order on the wire means nothing. */
function attributesIn(headers: string | null): readonly (readonly [string, unknown])[] {
  if (headers === null) return []
  const all = Object.entries(JSON.parse(headers) as Record<string, unknown>)
  const own = all.filter(([name]) => name.startsWith('ce-') || name === 'content-type')
  return own.toSorted(([a], [b]) => (a < b ? -1 : 1))
}
