// What a source has under way, and what its Service takes.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { isKafkaSource, isOrdered, sinkOf, topicNamed, topicsOf } from '../kafka-source.ts'
import { numberAt, type Manifest } from '../manifest.ts'
import { fact, knativeDocs, serving } from '../references.ts'
import { nameOf, type Rule } from '../rule.ts'
import { containerConcurrencyOf, isService, mostPodsOf, podPath } from '../service.ts'

export const concurrencyOutOfRange: Rule = {
  id: 'container-concurrency-range',
  summary: 'containerConcurrency goes from 0, no limit, to 1000.',
  references: [serving('pkg/apis/serving/v1/revision_validation.go')],
  on: isService,
  *check(service) {
    const given = containerConcurrencyOf(service)
    if (given >= 0 && given <= knativeLimits.containerConcurrency) return
    yield {
      level: 'error',
      path: [...podPath, 'containerConcurrency'],
      message: `containerConcurrency: ${given} is not within 0 to ${knativeLimits.containerConcurrency}`,
      remedy: 'what one process can have under way; 0 when it limits itself',
    }
  },
}

/** queue-proxy queues ten times what it lets through, and answers 503 beyond. */
const queued = 10

export const concurrencyOverflow: Rule = {
  id: 'concurrency-overflow',
  summary: 'An unordered source sends more at once than its Service takes: the rest is 503, and eats up retries.',
  references: [fact(18), fact(11), knativeDocs('serving/autoscaling/concurrency')],
  on: (manifest) => isKafkaSource(manifest) && !isOrdered(manifest),
  *check(source, all) {
    const service = serviceBehind(source, all)
    if (service === undefined) return
    const [limit, pods] = [containerConcurrencyOf(service), mostPodsOf(service)]
    const most = limit * (queued + 1)
    if (limit === 0 || most >= knativeLimits.unorderedInFlight) return
    const withAll = pods === 0 ? '' : `; with all ${pods} pods ${most * pods}`
    yield {
      level: 'warning',
      path: ['spec', 'ordering'],
      message: `up to ${knativeLimits.unorderedInFlight} under way per dispatcher, and a pod of ${nameOf(service)} takes ${limit} + ${queued * limit} queued = ${most}${withAll}: what comes above gets 503 until pods are there`,
      remedy: 'a higher containerConcurrency, min-scale above 0, or more retries than a cold start takes',
    }
  },
}

export const concurrencyUnused: Rule = {
  id: 'concurrency-unused',
  summary: 'In order, no more is under way than there are partitions: pods beyond that never work.',
  references: [fact(18)],
  on: (manifest) => isKafkaSource(manifest) && isOrdered(manifest),
  *check(source, all) {
    const service = serviceBehind(source, all)
    const counts = topicsOf(source).map((topic) => numberAt(topicNamed(topic, all)?.value, ['spec', 'partitions']))
    if (service === undefined || counts.length === 0) return
    const partitions = counts.reduce<number>((sum, count) => sum + (count ?? Number.NaN), 0)
    const [limit, pods] = [containerConcurrencyOf(service), mostPodsOf(service)]
    const capacity = limit * pods
    if (capacity === 0 || !(capacity > partitions)) return
    yield {
      level: 'warning',
      path: ['spec', 'ordering'],
      message: `${partitions} partitions, one request each; ${nameOf(service)} could take ${pods} pods × ${limit} = ${capacity}`,
      remedy: `max-scale ${Math.ceil(partitions / limit)}, more partitions, or ordering: unordered`,
    }
  },
}

export const concurrencyIsNoOrder: Rule = {
  id: 'concurrency-is-no-order',
  summary: 'containerConcurrency: 1 does not keep order: only ordering: ordered does.',
  references: [fact(18)],
  on: (manifest) => isKafkaSource(manifest) && !isOrdered(manifest),
  *check(source, all) {
    const service = serviceBehind(source, all)
    if (service === undefined || containerConcurrencyOf(service) !== 1) return
    yield {
      level: 'note',
      path: ['spec', 'ordering'],
      message: `${nameOf(service)} takes one request at a time, but an unordered source sends up to ${knativeLimits.unorderedInFlight} at once, and which comes first is chance`,
      remedy: 'ordering: ordered, when order is what containerConcurrency: 1 is for',
    }
  },
}

function serviceBehind(source: Manifest, all: readonly Manifest[]): Manifest | undefined {
  const sink = sinkOf(source, all)
  return sink !== undefined && isService(sink) ? sink : undefined
}
