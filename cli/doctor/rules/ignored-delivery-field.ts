// Fields of the delivery section that do nothing.

import { isKafkaSource } from '../kafka-source.ts'
import { textAt } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

const sender = kafkaBroker(
  'data-plane/dispatcher/src/main/java/dev/knative/eventing/kafka/broker/dispatcher/impl/http/WebClientCloudEventSender.java',
)

export const retryAfterMaxIgnored: Rule = {
  id: 'retry-after-max-ignored',
  summary: 'retryAfterMax is accepted and then ignored: the dispatcher never reads Retry-After.',
  references: [fact(11), sender, kafkaBroker('proto/contract.proto')],
  on: isKafkaSource,
  *check(source) {
    const given = textAt(source.value, ['spec', 'delivery', 'retryAfterMax'])
    if (given === undefined) return
    yield {
      level: 'warning',
      path: ['spec', 'delivery', 'retryAfterMax'],
      message: `retryAfterMax: ${given} does nothing: a sink that answers 503 with Retry-After: 60 is asked again by backoffDelay`,
      remedy: 'leave it out; choose backoffPolicy and backoffDelay so that they suit the sink',
    }
  },
}

export const deliveryFormatIgnored: Rule = {
  id: 'delivery-format-ignored',
  summary:
    'delivery.format is not in the schema of a KafkaSource: strict clients refuse it, others drop it, and events are always binary.',
  references: [fact(1), sender],
  on: isKafkaSource,
  *check(source) {
    const given = textAt(source.value, ['spec', 'delivery', 'format'])
    if (given === undefined) return
    yield {
      level: 'error',
      path: ['spec', 'delivery', 'format'],
      message: `format: ${given} is an unknown field, which kubectl refuses`,
      remedy: 'leave it out: a KafkaSource sends in binary mode',
    }
  },
}
