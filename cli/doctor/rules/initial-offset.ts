// Where a source begins that has no committed offset.

import { isKafkaSource } from '../kafka-source.ts'
import { textAt } from '../manifest.ts'
import { kafkaBroker, knativeDocs } from '../references.ts'
import type { Rule } from '../rule.ts'

export const initialOffsetLatest: Rule = {
  id: 'initial-offset-latest',
  summary:
    'A source that begins at latest never sees what was written before it was ready, or while its offsets had expired.',
  references: [
    kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_defaults.go'),
    knativeDocs('eventing/sources/kafka-source'),
  ],
  on: isKafkaSource,
  *check(source) {
    const given = textAt(source.value, ['spec', 'initialOffset'])
    if (given === 'earliest') return
    yield {
      level: given === undefined ? 'error' : 'warning',
      path: ['spec', 'initialOffset'],
      message:
        given === undefined
          ? 'no initialOffset means latest: records of partitions without a committed offset, as on the first day, are skipped without a trace'
          : `initialOffset: ${given} skips the records of partitions without a committed offset, as on the first day`,
      remedy: 'initialOffset: earliest; it counts only where no offset is committed',
    }
  },
}
