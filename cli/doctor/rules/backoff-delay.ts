// Delays and timeouts that the data plane cannot work with.

import { durationMs } from '../../../local/kafka-source/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { isKafkaSource } from '../kafka-source.ts'
import { numberAt, textAt } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

const given = ['backoffDelay', 'timeout'] as const
const inMs = (text: string): number | undefined => {
  try {
    return durationMs(text)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

export const backoffZero: Rule = {
  id: 'backoff-zero',
  summary: 'A back-off delay below a millisecond means no retries: the timer of 0 ms fails, and the event with it.',
  references: [
    fact(12),
    kafkaBroker(
      'data-plane/dispatcher/src/main/java/dev/knative/eventing/kafka/broker/dispatcher/impl/http/WebClientCloudEventSender.java',
    ),
  ],
  on: isKafkaSource,
  *check(source) {
    const delay = textAt(source.value, ['spec', 'delivery', 'backoffDelay'])
    const retry = numberAt(source.value, ['spec', 'delivery', 'retry']) ?? 0
    if (delay === undefined || inMs(delay) !== 0) return
    yield {
      level: 'error',
      path: ['spec', 'delivery', 'backoffDelay'],
      message: `backoffDelay: ${delay} is a timer of 0 ms, which is refused: ${retry} retries become 0, and the first failure is final`,
      remedy: 'at least PT0.001S; PT1S and linear back-off is a good beginning',
    }
  },
}

export const durationUnreadable: Rule = {
  id: 'duration-unreadable',
  summary: 'A duration of the delivery section is not ISO 8601; no webhook looks at it, the controller fails.',
  references: [kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_validation.go')],
  on: isKafkaSource,
  *check(source) {
    for (const name of given) {
      const text = textAt(source.value, ['spec', 'delivery', name])
      if (text === undefined || inMs(text) !== undefined) continue
      yield {
        level: 'error',
        path: ['spec', 'delivery', name],
        message: `${name}: ${text} is not an ISO 8601 duration`,
        remedy: 'such as PT0.5S, PT30S, PT5M',
      }
    }
  },
}
