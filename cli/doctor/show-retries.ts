// The sum behind a retry window, written out.

import { retryDelayMs, type DeliveryRules } from '../../local/kafka-source/index.ts'
import { retryWindow } from '../knative/delivery-budget.ts'
import { showMs } from '../knative/show-duration.ts'

/** `600 ms + 1.2 s + … + 5 min 7.2 s = 10 min 13.8 s`. */
export function showRetries(rules: DeliveryRules): string {
  const { retries, windowMs } = retryWindow(rules)
  if (retries === 0) return 'no retries = 0 s'
  const shown = [1, 2, retries].filter((failures, at, list) => failures <= retries && list.indexOf(failures) === at)
  const delays = shown.map((failures) => showMs(retryDelayMs(rules, failures)))
  const sum = retries > 3 ? [...delays.slice(0, -1), '…', ...delays.slice(-1)] : delays
  return `${sum.join(' + ')} = ${showMs(windowMs)}`
}
