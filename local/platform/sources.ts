// The sources of the platform, derived from the contracts: one KafkaSource for each function and topic, one PingSource for each
// schedule. The manifests of a cluster are made from the same.

import { deadLetterTopicOf, topicOf } from '../../shared/events/index.ts'
import type { AnyFunction, EventFunction } from '../../shared/function/index.ts'
import { isoDurationOf, linearRetriesFor, type DeliverySpec, type KafkaSourceSpec } from '../kafka-source/index.ts'
import type { PingSourceSpec } from '../ping-source/index.ts'

const namespace = 'default'

/** Dots are not allowed in the name of a resource. */
export const dashed = (topic: string): string => topic.replaceAll(/[._]/g, '-')

/** Where the sink of a topic takes events. */
export type SinkUrl = (topic: string) => string

export function kafkaSourcesOf(definition: AnyFunction, url: string, sinkUrl?: SinkUrl): readonly KafkaSourceSpec[] {
  if (definition.kind !== 'event') return []
  const topics = new Set(topicsOf(definition.consumes))
  const delivery = deliveryOf(definition)
  return [...topics].map((topic): KafkaSourceSpec => {
    const name = `${definition.name}-${dashed(topic)}`
    return {
      metadata: { name, namespace },
      spec: {
        topics: [topic],
        consumerGroup: name,
        ordering: definition.ordering === 'key' ? 'ordered' : 'unordered',
        initialOffset: 'earliest',
        delivery: { ...delivery, ...deadLetterSinkOf(topic, sinkUrl) },
        sink: { uri: url },
        ceOverrides: { extensions: { sluicetopic: topic } },
      },
    }
  })
}

/** Linear, because an outage ends at once for all: the next try comes soon after a short one and not too often in a long one. */
const deliveryOf = ({ source: { outageMs, backoffMs, timeoutMs } }: EventFunction): DeliverySpec => ({
  retry: linearRetriesFor(outageMs, backoffMs),
  backoffPolicy: 'linear',
  backoffDelay: isoDurationOf(backoffMs),
  timeout: isoDurationOf(timeoutMs),
})

const topicsOf = (consumes: EventFunction['consumes']): readonly string[] =>
  'any' in consumes ? (consumes.topics ?? []).map(({ name }) => name) : consumes.map(({ topic }) => topic.name)

/** What was dead once goes nowhere from there: only topics that have a dead-letter topic have a sink. */
function deadLetterSinkOf(topic: string, sinkUrl: SinkUrl | undefined): Pick<DeliverySpec, 'deadLetterSink'> {
  const known = topicOf(topic)
  const deadLetters = known === undefined ? undefined : topicOf(deadLetterTopicOf(known).name)
  return sinkUrl === undefined || deadLetters === undefined
    ? {}
    : { deadLetterSink: { uri: sinkUrl(deadLetters.name) } }
}

export const pingSourcesOf = (definition: AnyFunction, url: string): readonly PingSourceSpec[] =>
  definition.kind === 'scheduled'
    ? [{ metadata: { name: definition.name, namespace }, spec: { schedule: definition.schedule, sink: { uri: url } } }]
    : []
