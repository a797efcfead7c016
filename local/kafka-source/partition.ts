// The assigned partitions: where reading goes on, and what may be committed.

import type { KafkaSourceSpec } from './kafka-source-spec.ts'
import { createOffsetTracker, type OffsetTracker } from './offset-tracker.ts'
import type { RecordLog } from './record-log.ts'

export interface Partition {
  readonly topic: string
  readonly index: number
  readonly offsets: OffsetTracker
  /** Offset of the next record to read. */
  position: number
  /** There may be records that the last poll did not take. */
  missedPoll: boolean
}

/** Every partition of every topic: the twin is the only member of its group. */
export async function assignPartitions({ spec }: KafkaSourceSpec, log: RecordLog): Promise<readonly Partition[]> {
  const { topics, consumerGroup: group, initialOffset = 'latest' } = spec
  const assigned: Partition[] = []
  for (const topic of topics) {
    const committed = await log.committed(group, topic)
    const count = await log.partitions(topic)
    for (let index = 0; index < count; index += 1) {
      const { earliest, next } = await log.bounds(topic, index)
      const start = committed.get(index) ?? (initialOffset === 'earliest' ? earliest : next)
      // The controller of the real one commits end offsets before it says Ready, so that `latest` survives a restart.
      if (!committed.has(index) && initialOffset === 'latest') {
        await log.commit(group, topic, { partition: index, offset: next })
      }
      const position = Math.max(start, earliest)
      assigned.push({ topic, index, offsets: createOffsetTracker(), position, missedPoll: false })
    }
  }
  return assigned
}
