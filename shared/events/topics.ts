// Every topic, declared once: what its key means and which event types it carries.
//
// T1  A type is on exactly one topic, so emitting a type needs no topic name.
// T2  Every topic has a dead-letter topic `<name>.dlq` with the same key and as many partitions.
// T3  Partitions never shrink, and growing them moves keys: choose once. They bound how many events of a topic an ordered
//     KafkaSource has in flight.
// T4  A topic keeps records longer than any KafkaSource tries to deliver one (sluice render proves it), its dead letters longer still.

import {
  conversationActionRequested,
  conversationMessageReceived,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnProgressed,
  conversationTurnStarted,
  memoryRecordWritten,
  toolCallFinished,
  toolCallRequested,
} from './generated/event-types.ts'
import type { EventType } from './event-type.ts'

export interface Topic {
  readonly name: string
  /** What the key of a record means, for readers. */
  readonly key: string
  readonly types: readonly EventType[]
  readonly partitions: number
  /** Kafka keeps only the newest record of a key. */
  readonly compacted?: boolean
  /** How long it keeps a record, in milliseconds. */
  readonly retentionMs: number
  /** Largest record the topic takes: key, headers and value together, in bytes. */
  readonly maxEventBytes: number
}

/**
 * Below Kafka's default `message.max.bytes` of 1,048,588, with room for what is added after the check (sequence, trace,
 * facts of a dead letter) and for the batch itself. The CloudEvents specification asks that 64 KiB always pass.
 */
const maxEventBytes = 1_000_000

const dayMs = 86_400_000
/** As Kafka keeps records by default. */
export const defaultRetentionMs: number = 7 * dayMs
/** A dead letter that nobody could record waits in its topic for a person. */
const deadLetterRetentionMs = 30 * dayMs
const retentionMs = defaultRetentionMs

export const topics = {
  conversationInbound: {
    name: 'conversation.inbound',
    key: 'session id',
    types: [conversationMessageReceived, conversationActionRequested],
    partitions: 8,
    retentionMs,
    maxEventBytes,
  },
  conversationOutbound: {
    name: 'conversation.outbound',
    key: 'session id',
    types: [conversationTurnStarted, conversationTurnProgressed, conversationTurnCompleted, conversationTurnFailed],
    partitions: 8,
    retentionMs,
    maxEventBytes,
  },
  toolRequests: {
    name: 'tool.requests',
    key: 'session id',
    types: [toolCallRequested],
    partitions: 8,
    retentionMs,
    maxEventBytes,
  },
  toolResults: {
    name: 'tool.results',
    key: 'session id',
    types: [toolCallFinished],
    partitions: 8,
    retentionMs,
    maxEventBytes,
  },
  memoryWal: {
    name: 'memory.wal',
    key: 'tenant/memory key',
    types: [memoryRecordWritten],
    partitions: 8,
    retentionMs,
    maxEventBytes,
  },
} as const satisfies Record<string, Topic>

const deadLetterSuffix = '.dlq'

/** Where dead letters of `topic` go: the original events with the facts of their failure. */
export const deadLetterTopicOf = (topic: Topic): Topic => ({
  name: `${topic.name}${deadLetterSuffix}`,
  key: topic.key,
  types: topic.types,
  partitions: topic.partitions,
  retentionMs: deadLetterRetentionMs,
  maxEventBytes: topic.maxEventBytes,
})

/** All topics with their dead-letter topics: what must exist before anything runs. */
export const allTopics: readonly Topic[] = Object.values(topics).flatMap((topic) => [topic, deadLetterTopicOf(topic)])

const byName = new Map<string, Topic>(allTopics.map((topic) => [topic.name, topic]))
const byType = new Map<string, Topic>(
  Object.values<Topic>(topics).flatMap((topic) => topic.types.map((type) => [type.type, topic] as const)),
)

export const topicOf = (name: string): Topic | undefined => byName.get(name)

/** The topic that carries events of this type. */
export const topicOfType = (type: string): Topic | undefined => byType.get(type)
