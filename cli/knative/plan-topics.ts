// What the declared topics come to: the values of the chart's KafkaTopics and KafkaSinks.

import { dashed } from '../../local/platform/index.ts'
import { allTopics, type Topic } from '../../shared/events/index.ts'

export interface TopicPlan {
  /** Name of the KafkaTopic, and of the KafkaSink where it takes dead letters. */
  readonly resource: string
  readonly partitions: number
  /** Text, because Helm writes large numbers as 6.048e+08. */
  readonly retentionMs: string
  readonly cleanupPolicy: 'delete' | 'compact'
}

export const planTopics = (topics: readonly Topic[] = allTopics): Readonly<Record<string, TopicPlan>> =>
  Object.fromEntries(
    topics.map(({ name, partitions, retentionMs, compacted = false }) => [
      name,
      {
        resource: dashed(name),
        partitions,
        retentionMs: String(retentionMs),
        cleanupPolicy: compacted ? 'compact' : 'delete',
      },
    ]),
  )
