// The name under which the offsets of a source are kept.

import { isKafkaSource, topicsOf } from '../kafka-source.ts'
import { textAt } from '../manifest.ts'
import { kafkaBroker } from '../references.ts'
import { nameOf, type Rule } from '../rule.ts'

const path = ['spec', 'consumerGroup'] as const

export const consumerGroupMissing: Rule = {
  id: 'consumer-group-missing',
  summary:
    'A source without a consumer group of its own name gets a random one, and loses its place when it is created anew.',
  references: [kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_defaults.go')],
  on: isKafkaSource,
  *check(source) {
    if (textAt(source.value, path) !== undefined) return
    yield {
      level: 'warning',
      path: ['spec', 'consumerGroup'],
      message:
        'no consumerGroup: knative-kafka-source-<random> is filled in and cannot be changed; a source that is deleted and created again begins anew at initialOffset',
      remedy: 'a name that stays, such as that of the function',
    }
  },
}

export const consumerGroupShared: Rule = {
  id: 'consumer-group-shared',
  summary: 'Two sources of one consumer group share the partitions of a topic: each sees only some of the records.',
  references: [kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_validation.go')],
  on: isKafkaSource,
  *check(source, all) {
    const group = textAt(source.value, path)
    if (group === undefined) return
    const topics = topicsOf(source)
    const first = all.find(
      (other) =>
        isKafkaSource(other) &&
        textAt(other.value, path) === group &&
        topicsOf(other).some((topic) => topics.includes(topic)),
    )
    if (first === undefined || first === source) return
    yield {
      level: 'error',
      path,
      message: `${nameOf(first)} has the group ${group} on the same topic: Kafka gives each partition to one of the two`,
      remedy: 'a group for each source',
    }
  },
}
