// What applies when a source says nothing about delivery.

import { showRetries } from '../show-retries.ts'
import { hasDelivery, isKafkaSource, rulesOf } from '../kafka-source.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

export const deliveryMissing: Rule = {
  id: 'delivery-missing',
  summary:
    'Without a delivery section the built-in one applies: exponential back-off of ten minutes, and then the event is gone.',
  references: [fact(12), fact(15), kafkaBroker('control-plane/pkg/reconciler/source/source.go')],
  on: isKafkaSource,
  *check(source) {
    const rules = rulesOf(source)
    if (hasDelivery(source) || rules === undefined) return
    yield {
      level: 'error',
      path: ['spec'],
      message: `no delivery section: ${rules.retries} retries, ${showRetries(rules)}, each try waiting up to 10 min, and no dead letter sink`,
      remedy: 'write delivery out: retry, backoffPolicy: linear, backoffDelay, timeout, deadLetterSink',
    }
  },
}
