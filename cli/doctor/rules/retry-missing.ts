// The trap most sources are in: a delivery section that names a dead letter sink and forgets retry.

import { hasDelivery, isKafkaSource } from '../kafka-source.ts'
import { numberAt, valueAt } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

export const retryMissing: Rule = {
  id: 'retry-missing',
  summary: 'A delivery section without retry means no retries at all.',
  references: [fact(12), kafkaBroker('control-plane/pkg/core/config/utils.go')],
  on: isKafkaSource,
  *check(source) {
    const delivery = valueAt(source.value, ['spec', 'delivery'])
    const retry = numberAt(delivery, ['retry'])
    if (!hasDelivery(source) || (retry !== undefined && retry > 0)) return
    const given = retry === undefined ? 'delivery without retry' : `retry: ${retry}`
    const end =
      valueAt(delivery, ['deadLetterSink']) === undefined ? 'drops the event' : 'sends it to the dead letter sink'
    yield {
      level: 'error',
      path: ['spec', 'delivery', 'retry'],
      message: `${given} means 0 retries: one 503, 429 or broken connection, as in any rollout, ${end}`,
      remedy: 'set retry, with backoffPolicy: linear and a backoffDelay: delay · retry · (retry + 1) / 2 is the window',
    }
  },
}
