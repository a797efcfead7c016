// Who publishes a key: whoever holds its lease, until it settles or the lease runs out. A claim (sluice.claim_outbox) takes leases
// of keys that have something pending and reads their rows; an emitter takes the lease of an idle key with the row (leases.ts).
//
// C1  A settle frees and marks only what is still held by its token, and marks as sent only what the log has. So one that arrives
//     late, after its connection broke, skips nothing: at worst it frees a key whose publisher is at work, and records repeat.

import type { Queryable } from '../../database/index.ts'
import type { CloudEvent } from '../../events/index.ts'

/** Where emitted events wait: order and exclusiveness hold within it. */
export interface OutboxKey {
  readonly topic: string
  readonly key: string
}

/** What a record is made of without reading the stored JSON again. Taken when the event is emitted: the data may change later. */
export interface WrittenEvent {
  /** Deliverable, its data aside. */
  readonly event: CloudEvent
  /** JSON. */
  readonly data: string
}

export interface OutboxRow extends OutboxKey {
  readonly sequence: number
  /** The event in the JSON format of CloudEvents. */
  readonly json: string
  /** Only in memory. */
  readonly written?: WrittenEvent | undefined
}

/** Keys held by one token, and what is to be published of them. */
export interface OutboxClaim {
  readonly token: string
  readonly keys: readonly OutboxKey[]
  /** In the order of (topic, key, sequence): for each key a run without gaps from its first pending one on. */
  readonly rows: readonly OutboxRow[]
}

export interface SentRow extends OutboxRow {
  readonly partition: number
  readonly offset: number
}

/** Longest publishing of one claim before another publisher may take its keys, in milliseconds. */
export const outboxLeaseMs = 15_000
/** Keys of one claim. */
export const keysOfClaim = 64
const bytesOfKey = 131_072

const claimStatement = {
  name: 'sluice.claim_outbox',
  text: `SELECT token, topic, key, sequence, event AS json FROM sluice.claim_outbox(
  p_topics => $1, p_keys => $2, p_max_keys => ${keysOfClaim}, p_key_bytes => ${bytesOfKey}, p_lease_ms => ${outboxLeaseMs})`,
}

/** Of the given keys those that are free and have pending rows, or any such keys. Undefined when there are none. */
export async function claimOutbox(database: Queryable, keys?: readonly OutboxKey[]): Promise<OutboxClaim | undefined> {
  const values = keys === undefined ? [null, null] : [topicsOf(keys), keysOf(keys)]
  const { rows } = await database.query<OutboxRow & { token: string }>(claimStatement, values)
  const [first] = rows
  return first === undefined ? undefined : { token: first.token, keys: distinctKeys(rows), rows }
}

const settleStatement = {
  name: 'sluice.settle_outbox',
  text: `SELECT topic, key FROM sluice.settle_outbox(p_token => $1, p_topics => $2, p_keys => $3, p_delay_ms => $4,
  p_sent_topics => $5, p_sent_keys => $6, p_sequences => $7, p_partitions => $8, p_offsets => $9)`,
}

/** Marks what the log has, frees the keys – after `delayMs`, so that a failing log is not hammered – and returns those with more. */
export async function settleOutbox(
  database: Queryable,
  { token, keys }: OutboxClaim,
  { sent, delayMs }: { readonly sent: readonly SentRow[]; readonly delayMs: number },
): Promise<readonly OutboxKey[]> {
  const { rows } = await database.query<OutboxKey>(settleStatement, [
    token,
    topicsOf(keys),
    keysOf(keys),
    delayMs,
    topicsOf(sent),
    keysOf(sent),
    sent.map(({ sequence }) => sequence),
    sent.map(({ partition }) => partition),
    sent.map(({ offset }) => offset),
  ])
  return rows
}

/** One of each (topic, key). */
export function distinctKeys(keys: Iterable<OutboxKey>): readonly OutboxKey[] {
  const byName = new Map<string, OutboxKey>()
  for (const { topic, key } of keys) byName.set(`${topic}\0${key}`, { topic, key })
  return [...byName.values()]
}

const topicsOf = (keys: readonly OutboxKey[]): readonly string[] => keys.map(({ topic }) => topic)
const keysOf = (keys: readonly OutboxKey[]): readonly string[] => keys.map(({ key }) => key)
