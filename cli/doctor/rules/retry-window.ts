// The two ends of a retry window: shorter than a rollout, or longer than the topic keeps its records.

import { showRetries } from '../show-retries.ts'
import { retryWindow } from '../../knative/delivery-budget.ts'
import { showMs } from '../../knative/show-duration.ts'
import { hasDelivery, isKafkaSource, isOrdered, rulesOf, topicNamed, topicsOf } from '../kafka-source.ts'
import { numberAt, textAt, type Manifest } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

/** A rollout, a database that fails over, a cold start after an image pull: these are over within a minute. */
const shortestMs = 60_000
/** Kafka's own default of retention.ms. */
const defaultRetentionMs = 604_800_000

export const retryWindowShort: Rule = {
  id: 'retry-window-short',
  summary: 'The retries are over before a rollout or a failover of the database is.',
  references: [fact(12), fact(11)],
  on: isKafkaSource,
  *check(source) {
    const rules = rulesOf(source)
    if (rules === undefined || !hasDelivery(source)) return
    const { retries, windowMs } = retryWindow(rules)
    if (retries === 0 || windowMs >= shortestMs) return
    yield {
      level: 'warning',
      path: ['spec', 'delivery', 'retry'],
      message: `${retries} retries, ${rules.backoffPolicy}: ${showRetries(rules)}; whatever is away for longer sends events to the dead letter sink`,
      remedy: 'more retries or a longer backoffDelay: at least a minute, better the longest outage that is expected',
    }
  },
}

export const retryOutlastsRetention: Rule = {
  id: 'retry-outlasts-retention',
  summary: 'One record can hold its partition for longer than the topic keeps the records behind it.',
  references: [fact(12), fact(18), kafkaBroker('data-plane/core/src/main/java/dev/knative/eventing/kafka/broker/core')],
  on: (manifest) => isKafkaSource(manifest) && isOrdered(manifest),
  *check(source, all) {
    const rules = rulesOf(source)
    if (rules === undefined) return
    const { worstBlockMs, retries, windowMs } = retryWindow(rules)
    for (const topic of topicsOf(source)) {
      const retentionMs = retentionOf(topicNamed(topic, all))
      if (worstBlockMs < retentionMs) continue
      const tries = `${showRetries(rules)} of back-off + ${retries + 1} tries of ${showMs(rules.timeoutMs)}`
      const twice =
        rules.deadLetterUri === undefined ? '' : ', twice, as the dead letter sink is tried by the same rules'
      const which = windowMs >= retentionMs ? 'the back-off alone outlasts' : 'the worst block outlasts'
      yield {
        level: 'error',
        path: ['spec', 'delivery', 'retry'],
        message: `${tries}${twice}: ${showMs(worstBlockMs)}; ${which} the ${showMs(retentionMs)} that ${topic} keeps its records, and those behind are removed unread`,
        remedy:
          'fewer retries; linear back-off, since exponential doubles without a cap; a shorter timeout; a longer retention',
      }
    }
  },
}

function retentionOf(topic: Manifest | undefined): number {
  const path = ['spec', 'config', 'retention.ms']
  const given = numberAt(topic?.value, path) ?? Number(textAt(topic?.value, path) ?? defaultRetentionMs)
  if (given === -1) return Infinity
  return Number.isFinite(given) ? given : defaultRetentionMs
}
