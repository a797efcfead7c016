// The sources of the platform, derived from the contracts as the chart will derive them: one KafkaSource for each function
// and topic, one PingSource for each schedule.

import type { AnyFunction } from '../../shared/function/index.ts'
import type { KafkaSourceSpec } from '../kafka-source/index.ts'
import type { PingSourceSpec } from '../ping-source/index.ts'

const namespace = 'default'

// Acceptance takes milliseconds, so a failure is an outage: try for an hour (the sum of 0.5 s · n), then give up on the record.
const delivery = { retry: 120, backoffPolicy: 'linear', backoffDelay: 'PT0.5S', timeout: 'PT30S' } as const

/** Dots are not allowed in the name of a resource. */
const dashed = (topic: string): string => topic.replaceAll(/[._]/g, '-')

export function kafkaSourcesOf(definition: AnyFunction, url: string): readonly KafkaSourceSpec[] {
  if (definition.kind !== 'event' || !('map' in definition.consumes)) return []
  const topics = new Set(definition.consumes.map(({ topic }) => topic.name))
  return [...topics].map((topic): KafkaSourceSpec => {
    const name = `${definition.name}-${dashed(topic)}`
    return {
      metadata: { name, namespace },
      spec: {
        topics: [topic],
        consumerGroup: name,
        ordering: definition.ordering === 'key' ? 'ordered' : 'unordered',
        initialOffset: 'earliest',
        delivery,
        sink: { uri: url },
        ceOverrides: { extensions: { sluicetopic: topic } },
      },
    }
  })
}

export const pingSourcesOf = (definition: AnyFunction, url: string): readonly PingSourceSpec[] =>
  definition.kind === 'scheduled'
    ? [{ metadata: { name: definition.name, namespace }, spec: { schedule: definition.schedule, sink: { uri: url } } }]
    : []
