// Which topics there are, how many partitions they have, and how far these reach.

import type { Admin, Cluster } from 'kafkajs'
import { SluiceError } from '../../errors/index.ts'
import type { Clock } from '../../time/index.ts'
import type { TopicDeclaration } from '../event-log.ts'
import { withRetries } from './kafka-errors.ts'

export interface KafkaTopics {
  load(): Promise<void>
  /** @throws SluiceError `unknown_topic`. */
  partitionsOf(topic: string): Promise<number>
  /**
   * Of a topic that `partitionsOf` has told before.
   * @throws SluiceError `event_log_unavailable` when it has not since the connection was opened anew: a guess would put a key
   * into two partitions, and its order would be gone.
   */
  knownPartitions(topic: string): number
  /** @throws SluiceError `unknown_topic` when the topic or the partition does not exist. */
  require(topic: string, partition: number): Promise<void>
  ensure(declarations: readonly TopicDeclaration[]): Promise<void>
  bounds(topic: string, partition: number): Promise<{ readonly earliest: number; readonly next: number }>
}

export interface KafkaTopicsDeps {
  readonly admin: Admin
  readonly cluster: Cluster
  readonly clock: Clock
}

export function createKafkaTopics({ admin, cluster, clock }: KafkaTopicsDeps): KafkaTopics {
  /** Kept for good: the partitions of a topic are not to change, since keys would move. */
  const topics = new Map<string, number>()

  async function load(): Promise<void> {
    const metadata = await admin.fetchTopicMetadata()
    for (const { name, partitions } of metadata.topics) topics.set(name, partitions.length)
  }

  async function partitionsOf(topic: string): Promise<number> {
    if (!topics.has(topic)) await load()
    const partitions = topics.get(topic)
    if (partitions !== undefined) return partitions
    throw new SluiceError('unknown_topic', `The topic ${topic} does not exist; ensureTopics creates it`)
  }

  async function offsetOf(topic: string, partition: number, end: 'earliest' | 'next'): Promise<number> {
    const question = { topic, partitions: [{ partition }], fromBeginning: end === 'earliest' }
    const [answer] = await cluster.fetchTopicsOffset([question])
    return Number(answer?.partitions[0]?.offset)
  }

  return {
    load,
    partitionsOf,
    knownPartitions: (topic) => {
      const partitions = topics.get(topic)
      if (partitions !== undefined) return partitions
      throw new SluiceError('event_log_unavailable', `The partitions of ${topic} are not known yet`)
    },
    require: async (topic, partition) => {
      if (partition < (await partitionsOf(topic))) return
      throw new SluiceError('unknown_topic', `${topic} has no partition ${partition}`)
    },
    ensure: async (declarations) => {
      await load()
      const missing = declarations.filter(({ name }) => !topics.has(name))
      if (missing.length === 0) return
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((declaration) => ({
          topic: declaration.name,
          numPartitions: declaration.partitions,
          configEntries: settingsOf(declaration),
        })),
      })
      await load()
    },
    bounds: (topic, partition) =>
      withRetries({ cluster, clock }, async () => {
        await cluster.addMultipleTargetTopics([topic])
        const ends = [offsetOf(topic, partition, 'earliest'), offsetOf(topic, partition, 'next')] as const
        const [earliest, next] = await Promise.all(ends)
        return { earliest, next }
      }),
  }
}

function settingsOf({ compacted = false, retentionMs }: TopicDeclaration): { name: string; value: string }[] {
  return [
    ...(compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : []),
    ...(retentionMs === undefined ? [] : [{ name: 'retention.ms', value: String(retentionMs) }]),
  ]
}
