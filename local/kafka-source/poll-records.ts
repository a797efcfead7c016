// One poll: at most `maxPollRecords` over all partitions that want records, as one poll of a Kafka consumer.

import type { Partition } from './partition.ts'
import type { RecordLog, SourceRecord } from './record-log.ts'

export interface PollOptions {
  readonly partitions: readonly Partition[]
  readonly maxPollRecords: number
  readonly wants: (partition: Partition) => boolean
  readonly signal: AbortSignal
}

/** Moves the positions past what it returns, and marks the partitions that may hold more. */
export async function pollRecords(options: PollOptions, log: RecordLog): Promise<readonly SourceRecord[]> {
  const { partitions, maxPollRecords, wants, signal } = options
  for (const partition of partitions) partition.missedPoll = !wants(partition)
  const ready = partitions.filter((partition) => !partition.missedPoll)
  const read = await Promise.all(
    ready.map(({ topic, index, position }) =>
      log.read({ topic, partition: index, offset: position, maxRecords: maxPollRecords, maxWaitMs: 0 }, signal),
    ),
  )
  const taken: SourceRecord[] = []
  for (const [index, partition] of ready.entries()) {
    const available = read[index] ?? []
    const records = available.slice(0, maxPollRecords - taken.length)
    const last = records.at(-1)
    if (last !== undefined) partition.position = last.offset + 1
    if (records.length < available.length || available.length === maxPollRecords) partition.missedPoll = true
    taken.push(...records)
  }
  return taken
}
