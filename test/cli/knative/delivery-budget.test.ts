import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { proveService, proveSource, retryWindow } from '../../../cli/knative/delivery-budget.ts'
import { deliveryRules, retryDelayMs, type DeliverySpec } from '../../../local/kafka-source/index.ts'

const hour = 3_600_000
const ours: DeliverySpec = {
  retry: 120,
  backoffPolicy: 'linear',
  backoffDelay: 'PT0.5S',
  timeout: 'PT30S',
  deadLetterSink: { uri: 'http://sink/' },
}

test('a linear series of 120 tries from half a second lasts an hour', () => {
  assert.deepEqual(retryWindow(deliveryRules(ours)), {
    retries: 120,
    windowMs: 3_630_000,
    longestDelayMs: 60_000,
    worstWindowMs: 3_630_000 + 121 * 30_000,
    worstBlockMs: 2 * (3_630_000 + 121 * 30_000),
  })
})

test('without a delivery section the series is upstream’s ten exponential tries, 613.8 s', () => {
  assert.equal(retryWindow(deliveryRules(undefined)).windowMs, 613_800)
})

test('a section without retry, and one without a delay, tries once', () => {
  for (const spec of [{ backoffDelay: 'PT1S' }, { retry: 5, backoffDelay: 'PT0S' }]) {
    const { retries, windowMs, worstWindowMs } = retryWindow(deliveryRules(spec))
    assert.deepEqual([retries, windowMs, worstWindowMs], [0, 0, 600_000])
  }
})

test('without a dead letter sink a record blocks one series and not two', () => {
  const { deadLetterSink: _, ...bare } = ours
  const { worstBlockMs, worstWindowMs } = retryWindow(deliveryRules(bare))
  assert.equal(worstBlockMs, worstWindowMs)
})

test('the window is the sum of the delays that the twin waits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom('linear' as const, 'exponential' as const),
      fc.integer({ min: 1, max: 9_999 }),
      (retry, backoffPolicy, ms) => {
        const rules = deliveryRules({ retry, backoffPolicy, backoffDelay: `PT${ms / 1_000}S` })
        const waited = Array.from({ length: retry }, (_, index) => retryDelayMs(rules, index + 1))
        assert.equal(
          retryWindow(rules).windowMs,
          waited.reduce((sum, one) => sum + one, 0),
        )
      },
    ),
  )
})

const source = {
  rules: deliveryRules(ours),
  acceptanceMs: 29_999,
  outageMs: 3_630_000,
  retentionMs: 7 * 24 * hour,
}
const broken = (proofs: readonly { readonly name: string; readonly holds: boolean }[]): readonly string[] =>
  proofs.filter(({ holds }) => !holds).map(({ name }) => name)

test('a source holds up to each limit and is refused at it', () => {
  assert.deepEqual(broken(proveSource(source)), [])
  assert.deepEqual(broken(proveSource({ ...source, acceptanceMs: 30_000 })), ['acceptance'])
  assert.deepEqual(broken(proveSource({ ...source, outageMs: 3_630_001 })), ['outage'])
  const { worstBlockMs } = retryWindow(source.rules)
  assert.deepEqual(broken(proveSource({ ...source, retentionMs: worstBlockMs + 1 })), [])
  assert.deepEqual(broken(proveSource({ ...source, retentionMs: worstBlockMs })), ['retention'])
  const oldestMs = source.retentionMs + worstBlockMs
  assert.deepEqual(broken(proveSource({ ...source, inboxMs: oldestMs + 1 })), [])
  assert.deepEqual(broken(proveSource({ ...source, inboxMs: oldestMs })), ['inbox'])
})

const service = {
  longestRunMs: 589_000,
  callerMs: 590_000,
  revisionTimeoutMs: 600_000,
  responseStartTimeoutMs: 600_000,
  idleTimeoutMs: 0,
  shutdownMs: 20_000,
}

test('a service holds up to each limit and is refused at it', () => {
  assert.deepEqual(broken(proveService(service)), [])
  assert.deepEqual(broken(proveService({ ...service, longestRunMs: 590_000 })), ['run'])
  assert.deepEqual(broken(proveService({ ...service, revisionTimeoutMs: 590_000 })), ['run'])
  assert.deepEqual(broken(proveService({ ...service, responseStartTimeoutMs: 589_000 })), ['head start'])
  assert.deepEqual(broken(proveService({ ...service, idleTimeoutMs: 589_000 })), ['idle'])
  assert.deepEqual(broken(proveService({ ...service, shutdownMs: 569_999 })), [])
  assert.deepEqual(broken(proveService({ ...service, shutdownMs: 570_000 })), ['drain'])
})

test('a stream is silent between two heartbeats at most', () => {
  const stream = { ...service, longestRunMs: 10_000, idleTimeoutMs: 60_000 }
  assert.deepEqual(broken(proveService({ ...stream, longestSilenceMs: 59_999 })), [])
  assert.deepEqual(broken(proveService({ ...stream, longestSilenceMs: 60_000 })), ['idle'])
})

test('every proof says its numbers', () => {
  const [acceptance, outage, retention] = proveSource(source).map(({ claim }) => claim)
  assert.equal(acceptance, 'acceptance 29.999 s < delivery timeout 30 s')
  assert.equal(outage, 'retry window 1 h 30 s (120 retries) ≥ outage budget 1 h 30 s')
  assert.equal(retention, 'worst head-of-line block 4 h 2 min < topic retention 7 d')
  assert.match(proveService(service).at(-1)?.claim ?? '', /drain 30 s \+ 20 s = 50 s < termination grace 10 min/)
})
