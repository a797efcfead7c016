// Gives each record its partition: by its key, or in turn for records without one.

import type { AppendRecord } from './event-log.ts'
import { partitionOfKey } from './partition-of-key.ts'

export interface PlacedRecord {
  readonly record: AppendRecord
  readonly partition: number
}

/** `partitionsOf` tells the partitions of a topic. */
export function createPlacement(
  partitionsOf: (topic: string) => number,
): (records: readonly AppendRecord[]) => readonly PlacedRecord[] {
  let turn = Math.floor(Math.random() * 1_000_000) // processes that start together begin at different partitions
  const next = (partitions: number): number => (turn = (turn + 1) % 1_000_000_000) % partitions
  return (records) =>
    records.map((record) => {
      const partitions = partitionsOf(record.topic)
      return { record, partition: record.key === null ? next(partitions) : partitionOfKey(record.key, partitions) }
    })
}
