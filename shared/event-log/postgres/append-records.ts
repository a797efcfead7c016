// One write: allots offsets and inserts the records.
//
// A1  The row lock of a partition is held from the allotment to COMMIT, so offsets become visible in order and without gaps.
// A2  Partitions are taken in sorted order, so two writes never wait for each other in a circle.

import type { Database, Queryable } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { AppendRecord, Position } from '../event-log.ts'
import type { PlacedRecord } from '../place-records.ts'
import { storeHeaders } from './record-headers.ts'

interface Group {
  readonly topic: string
  readonly partition: number
  /** In order; `at` is the index in the whole write. */
  readonly members: { readonly at: number; readonly record: AppendRecord }[]
}

/** @returns positions in the order of `placed`. */
export async function appendRecords(
  database: Database,
  placed: readonly PlacedRecord[],
  now: number,
): Promise<readonly Position[]> {
  const groups = groupByPartition(placed)
  const insert = (on: Queryable, group: Group): Promise<number> => insertGroup(on, group, now)
  const [only, ...others] = groups
  const firsts =
    only !== undefined && others.length === 0
      ? [await insert(database, only)] // one statement is a transaction by itself
      : await database.transaction((tx) => Promise.all(groups.map((group) => insert(tx, group))))
  const positions: Position[] = []
  for (const [at, { partition, members }] of groups.entries()) {
    for (const [index, member] of members.entries())
      positions[member.at] = { partition, offset: (firsts[at] ?? 0) + index }
  }
  return positions
}

function groupByPartition(placed: readonly PlacedRecord[]): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const [at, { record, partition }] of placed.entries()) {
    const name = `${record.topic} ${String(partition).padStart(4, '0')}`
    const group = groups.get(name) ?? { topic: record.topic, partition, members: [] }
    group.members.push({ at, record })
    groups.set(name, group)
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, group]) => statementsOf(group))
}

/** A statement has 65,535 parameters at most, four for each record. */
const recordsOfStatement = 1_000

function statementsOf({ topic, partition, members }: Group): readonly Group[] {
  const count = Math.ceil(members.length / recordsOfStatement)
  return Array.from({ length: count }, (_, at) => ({
    topic,
    partition,
    members: members.slice(at * recordsOfStatement, (at + 1) * recordsOfStatement),
  }))
}

/** @returns the offset of the first record. */
async function insertGroup(on: Queryable, { topic, partition, members }: Group, now: number): Promise<number> {
  const values: unknown[] = [topic, partition, members.length]
  const tuples = members.map(({ record: { key, headers, value, timestampMs = now } }, index) => {
    const first = values.push(key, storeHeaders(headers), value, timestampMs) - 3
    return `(${index}, $${first}::bytea, $${first + 1}::json, $${first + 2}::bytea, $${first + 3}::bigint)`
  })
  const { rows } = await on.query<{ first: number | null }>(
    `WITH allotted AS (
       UPDATE sluice.log_partition SET next = next + $3::int WHERE topic = $1 AND partition = $2 RETURNING next - $3::int AS first
     ), inserted AS (
       INSERT INTO sluice.log_record (topic, partition, "offset", key, headers, value, timestamp_ms)
       SELECT $1, $2::int, first + position, key, headers, value, timestamp_ms
       FROM allotted, (VALUES ${tuples.join(', ')}) AS record (position, key, headers, value, timestamp_ms)
     )
     SELECT first FROM allotted`,
    values,
  )
  const first = rows[0]?.first
  if (typeof first !== 'number') throw new SluiceError('unknown_topic', `${topic} has no partition ${partition}`)
  return first
}
