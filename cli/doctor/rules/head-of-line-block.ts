// What one bad record costs the records behind it.

import { retryWindow } from '../../knative/delivery-budget.ts'
import { showMs } from '../../knative/show-duration.ts'
import { isKafkaSource, isOrdered, rulesOf } from '../kafka-source.ts'
import { fact } from '../references.ts'
import type { Rule } from '../rule.ts'
import { showRetries } from '../show-retries.ts'

/** A record that nobody answers should not cost its partition more than an hour. */
const longestMs = 3_600_000

export const headOfLineBlock: Rule = {
  id: 'head-of-line-block',
  summary: 'In order, one bad record stops its partition for the whole retry series.',
  references: [fact(18), fact(12)],
  on: (manifest) => isKafkaSource(manifest) && isOrdered(manifest),
  *check(source) {
    const rules = rulesOf(source)
    if (rules === undefined) return
    const { retries, windowMs, worstBlockMs } = retryWindow(rules)
    if (worstBlockMs <= longestMs) return
    const twice = rules.deadLetterUri === undefined ? '' : ' × 2, with the dead letter sink'
    yield {
      level: 'warning',
      path: ['spec', 'delivery'],
      message: `a record that is refused blocks its partition for ${showRetries(rules)}; one that is not answered for (${showMs(windowMs)} + ${retries + 1} × ${showMs(rules.timeoutMs)})${twice} = ${showMs(worstBlockMs)}`,
      remedy: 'accept fast and retry behind the answer, so that timeout can be short; or ordering: unordered',
    }
  },
}
