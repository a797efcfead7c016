import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { createBreaker, type Breaker, type BreakerOptions } from '../../../shared/resilience/breaker.ts'
import { SluiceError, type ErrorCode } from '../../../shared/errors/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'

// opossum takes its time from setTimeout and Date, so these tests move node's mocked timers instead of a Clock.

function subject(t: TestContext, options: Partial<BreakerOptions> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
  const instruments = createInstruments({ function: 'test' })
  const clock = { ...systemClock, monotonic: () => Date.now() }
  const breaker = createBreaker(
    { dependency: 'tool thing', timeoutMs: 1_000, capacity: 50, resetMs: 5_000, ...options },
    { clock, instruments },
  )
  t.after(() => breaker.stop())
  const value = async (metric: 'breakerState' | 'breakerRejections') =>
    (await instruments[metric].get()).values[0]?.value
  return { breaker, shown: () => value('breakerState'), rejections: () => value('breakerRejections') }
}

const fail = (code: ErrorCode) => async (): Promise<never> => {
  throw new SluiceError(code, 'no')
}
const hang = (): Promise<never> => new Promise(() => {})
const ok = async (): Promise<string> => 'fine'

async function failTimes(breaker: Breaker, count: number, code: ErrorCode = 'dependency_failed'): Promise<void> {
  for (let call = 0; call < count; call += 1) await assert.rejects(breaker.run(fail(code)), { code })
}

async function opened(breaker: Breaker): Promise<void> {
  await failTimes(breaker, 10)
  assert.equal(breaker.state(), 'open')
}

test('nine failures leave it closed, the tenth opens it', async (t) => {
  const { breaker, shown } = subject(t)
  await failTimes(breaker, 9)
  assert.equal(breaker.state(), 'closed')
  assert.equal(await shown(), 0)
  await failTimes(breaker, 1)
  assert.equal(breaker.state(), 'open')
  assert.equal(await shown(), 2)
})

test('failures in a row of a dependency that is rarely called open it only when they are near one another', async (t) => {
  const { breaker } = subject(t)
  for (let call = 0; call < 30; call += 1) {
    await failTimes(breaker, 1)
    t.mock.timers.tick(3_600_000)
  }
  assert.equal(breaker.state(), 'closed', 'thirty in thirty hours')
  for (let call = 0; call < 10; call += 1) {
    await failTimes(breaker, 1)
    t.mock.timers.tick(30_000)
  }
  assert.notEqual(breaker.state(), 'closed', 'ten in five minutes')
})

test('an open breaker calls nothing and says when to come again', async (t) => {
  const { breaker, rejections } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(2_000)
  await assert.rejects(
    breaker.run(() => assert.fail('called')),
    { code: 'circuit_open', retryAfterMs: 3_000 },
  )
  assert.equal(await rejections(), 1)
})

test('after the reset time one probe goes through, and its success closes', async (t) => {
  const { breaker, shown } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  assert.equal(breaker.state(), 'half-open')
  assert.equal(await shown(), 1)
  const probe = Promise.withResolvers<string>()
  const first = breaker.run(() => probe.promise)
  await assert.rejects(breaker.run(ok), { code: 'circuit_open' })
  probe.resolve('fine')
  assert.equal(await first, 'fine')
  assert.equal(breaker.state(), 'closed')
})

test('a probe that fails opens it again', async (t) => {
  const { breaker } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  await failTimes(breaker, 1)
  assert.equal(breaker.state(), 'open')
})

test('a probe that hangs does not wedge it half open', async (t) => {
  const { breaker } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  const probe = assert.rejects(breaker.run(hang), { code: 'dependency_timeout' })
  t.mock.timers.tick(1_000)
  await probe
  assert.equal(breaker.state(), 'open')
  t.mock.timers.tick(5_000)
  assert.equal(await breaker.run(ok), 'fine')
})

test('a probe cancelled by its caller decides nothing: the next call is the probe', async (t) => {
  const { breaker } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  await failTimes(breaker, 1, 'aborted')
  assert.notEqual(breaker.state(), 'closed')
  t.mock.timers.tick(1)
  assert.equal(breaker.state(), 'half-open')
  await failTimes(breaker, 1)
  t.mock.timers.tick(4_999)
  assert.equal(breaker.state(), 'open', 'the full reset time counts again after a real failure')
  t.mock.timers.tick(1)
  assert.equal(breaker.state(), 'half-open')
})

test('a refusal by the dependency is an answer and closes a half-open breaker', async (t) => {
  const { breaker } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  await failTimes(breaker, 1, 'model_bad_request')
  assert.equal(breaker.state(), 'closed')
})

test('a long answer closes a half-open breaker when it begins', async (t) => {
  const { breaker } = subject(t)
  await opened(breaker)
  t.mock.timers.tick(5_000)
  const probe = Promise.withResolvers<string>()
  const first = breaker.run(({ alive }) => {
    alive()
    return probe.promise
  })
  assert.equal(await breaker.run(ok), 'fine')
  probe.resolve('fine')
  await first
})

test('W-33a: ten thousand mistakes of callers do not open it, timeouts do', async (t) => {
  const { breaker } = subject(t)
  await failTimes(breaker, 10_000, 'data_invalid')
  assert.equal(breaker.state(), 'closed')
  t.mock.timers.tick(20_000)
  const hanging = Array.from({ length: 10 }, () => assert.rejects(breaker.run(hang), { code: 'dependency_timeout' }))
  t.mock.timers.tick(1_000)
  await Promise.all(hanging)
  assert.equal(breaker.state(), 'open')
})

test('a call that runs out of time is aborted, the others are not', async (t) => {
  const { breaker } = subject(t)
  const signals: AbortSignal[] = []
  const keep = ({ signal }: { readonly signal: AbortSignal }): Promise<never> => {
    signals.push(signal)
    return hang()
  }
  const slow = assert.rejects(breaker.run(keep), { code: 'dependency_timeout' })
  t.mock.timers.tick(600)
  void breaker.run(keep).catch(() => {})
  t.mock.timers.tick(400)
  await slow
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  )
})

test('calls beyond the capacity are refused and do not count as failures', async (t) => {
  const { breaker } = subject(t, { capacity: 2, volumeThreshold: 3 })
  const gate = Promise.withResolvers<string>()
  const running = [breaker.run(() => gate.promise), breaker.run(() => gate.promise)]
  for (let call = 0; call < 20; call += 1) await assert.rejects(breaker.run(ok), { code: 'overloaded' })
  assert.equal(breaker.state(), 'closed')
  gate.resolve('fine')
  await Promise.all(running)
  assert.equal(await breaker.run(ok), 'fine')
})

test('a place in the bulkhead comes back after success, failure and timeout alike', async (t) => {
  const { breaker } = subject(t, { capacity: 1, volumeThreshold: 1_000 })
  for (let round = 0; round < 3; round += 1) {
    await breaker.run(ok)
    await failTimes(breaker, 1)
    const slow = assert.rejects(breaker.run(hang), { code: 'dependency_timeout' })
    t.mock.timers.tick(1_000)
    await slow
  }
  const gate = Promise.withResolvers<string>()
  const running = breaker.run(() => gate.promise)
  await assert.rejects(breaker.run(ok), { code: 'overloaded' }, 'one place, not more')
  gate.resolve('fine')
  await running
})
