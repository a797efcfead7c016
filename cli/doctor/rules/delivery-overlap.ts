// Who gives a request up first, its source or its Service.

import { showMs } from '../../knative/show-duration.ts'
import { isKafkaSource, rulesOf, sinkOf } from '../kafka-source.ts'
import { fact, serving } from '../references.ts'
import { nameOf, type Rule } from '../rule.ts'
import { isService, timeoutsOf } from '../service.ts'

export const deliveryOverlap: Rule = {
  id: 'delivery-overlap',
  summary: 'The source gives a request up and sends the event again while the first handler may still run.',
  references: [fact(23), fact(13), fact(20), serving('pkg/http/handler/timeout.go')],
  on: isKafkaSource,
  *check(source, all) {
    const [rules, sink] = [rulesOf(source), sinkOf(source, all)]
    if (rules === undefined || rules.retries === 0 || sink === undefined || !isService(sink)) return
    const { responseStartMs } = timeoutsOf(sink)
    if (rules.timeoutMs >= responseStartMs) return
    yield {
      level: 'warning',
      path: ['spec', 'delivery', 'timeout'],
      message: `timeout ${showMs(rules.timeoutMs)} < ${showMs(responseStartMs)}, which ${nameOf(sink)} gives a request to begin its answer: up to ${Math.ceil(responseStartMs / rules.timeoutMs)} runs of one event at once`,
      remedy:
        'a timeout of at least that; or a receiver that answers at once and knows an event again, and then the rule can be ignored here',
    }
  },
}
