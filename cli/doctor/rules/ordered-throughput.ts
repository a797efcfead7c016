// The ceiling of ordered delivery.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { isKafkaSource, isOrdered, topicNamed, topicsOf } from '../kafka-source.ts'
import { numberAt, type Manifest } from '../manifest.ts'
import { fact } from '../references.ts'
import type { Rule } from '../rule.ts'

const most = knativeLimits.orderedRecordsPerSecond

export const orderedThroughput: Rule = {
  id: 'ordered-throughput',
  summary: 'In order, one source delivers at most 250 records a second per dispatcher, whatever the partitions.',
  references: [fact(18), fact(36)],
  on: (manifest) => isKafkaSource(manifest) && isOrdered(manifest),
  *check(source, all) {
    const topics = topicsOf(source)
    const partitions = topics.map((topic) => numberOfPartitions(topicNamed(topic, all)))
    const known = partitions.every((count) => count !== undefined)
    const shared = topics.length > 1
    const arithmetic = `50 records a poll, a poll every 200 ms: ${most} records/s for ${shared ? `all ${topics.length} topics together` : 'the topic'}`
    const each =
      known && partitions.length > 0
        ? `, ${(most / sum(partitions)).toFixed(1)} for each of ${sum(partitions)} partitions`
        : ''
    yield {
      level: shared ? 'warning' : 'note',
      path: ['spec', shared ? 'topics' : 'ordering'],
      message: `${arithmetic}${each}`,
      remedy: shared
        ? 'a source for each topic: each has its own 250'
        : 'ordering: unordered where order does not matter (2,500 records/s and more); else more dispatchers',
    }
  },
}

const numberOfPartitions = (topic: Manifest | undefined): number | undefined =>
  numberAt(topic?.value, ['spec', 'partitions'])

const sum = (counts: readonly (number | undefined)[]): number =>
  counts.reduce<number>((total, count) => total + (count ?? 0), 0)
