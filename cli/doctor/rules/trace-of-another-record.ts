// Which trace a request belongs to.

import { isKafkaSource, isOrdered } from '../kafka-source.ts'
import { fact, issue } from '../references.ts'
import type { Rule } from '../rule.ts'

export const traceOfAnotherRecord: Rule = {
  id: 'trace-of-another-record',
  summary: "Unordered, a request often carries another record's traceparent.",
  references: [fact(8), fact(32), issue('knative-extensions/eventing-kafka-broker', 3913)],
  on: (manifest) => isKafkaSource(manifest) && !isOrdered(manifest),
  *check() {
    yield {
      level: 'note',
      path: ['spec', 'ordering'],
      message: 'the header traceparent is often of another record of the same poll (11 of 12 in a measurement)',
      remedy: "read the record's own, ce-traceparent or ce-kafkaheadertraceparent, first",
    }
  },
}
