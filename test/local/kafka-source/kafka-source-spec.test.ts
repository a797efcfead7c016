import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  deliveryRules,
  durationMs,
  isoDurationOf,
  linearRetriesFor,
  retryDelayMs,
} from '../../../local/kafka-source/index.ts'

test('no delivery section: ten retries, exponential from 300 ms, ten minutes for an answer', () => {
  const rules = deliveryRules(undefined)
  assert.deepEqual(rules, { retries: 10, backoffPolicy: 'exponential', backoffDelayMs: 300, timeoutMs: 600_000 })
  const delays = Array.from({ length: rules.retries }, (_, index) => retryDelayMs(rules, index + 1))
  assert.equal(
    delays.reduce((sum, delay) => sum + delay, 0),
    613_800,
  )
})

test('a delivery section without retry means no retries, whatever else it says', () => {
  assert.equal(deliveryRules({ backoffPolicy: 'linear', backoffDelay: 'PT1S' }).retries, 0)
  assert.equal(deliveryRules({ deadLetterSink: { uri: 'http://dls/' } }).retries, 0)
})

const delays = (backoffPolicy: 'linear' | 'exponential'): readonly number[] =>
  [1, 2, 3].map((failures) =>
    retryDelayMs(deliveryRules({ retry: 3, backoffPolicy, backoffDelay: 'PT0.1S' }), failures),
  )

test('the delay before a try is delay·n when linear and delay·2^n when exponential', () => {
  assert.deepEqual(delays('linear'), [100, 200, 300])
  assert.deepEqual(delays('exponential'), [200, 400, 800])
})

test('durations are ISO 8601; anything else is refused by name', () => {
  assert.equal(durationMs('PT0.05S'), 50)
  assert.equal(durationMs('PT1H2M3S'), 3_723_000)
  assert.equal(durationMs('P1DT1S'), 86_401_000)
  for (const text of ['200ms', 'PT', 'P', 'PT1', ''])
    assert.throws(() => durationMs(text), new RegExp(text === '' ? 'ISO 8601' : text))
})

test('an ISO duration is read back as what it was', () => {
  assert.equal(isoDurationOf(500), 'PT0.5S')
  for (const ms of [1, 10, 250, 999, 61_001, 86_400_000]) assert.equal(durationMs(isoDurationOf(ms)), ms)
})

test('the fewest linear retries for an outage are enough, and one less is not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 * 86_400_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      (outageMs, delayMs) => {
        const lasting = (retries: number): number => (delayMs * retries * (retries + 1)) / 2
        const retries = linearRetriesFor(outageMs, delayMs)
        assert.ok(lasting(retries) >= outageMs)
        assert.ok(retries === 1 || lasting(retries - 1) < outageMs)
      },
    ),
  )
})
