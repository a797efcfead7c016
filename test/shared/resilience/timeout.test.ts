import { test } from 'node:test'
import assert from 'node:assert/strict'
import { timeout } from '../../../shared/resilience/timeout.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createManualClock } from '../../support/index.ts'

const never = (): Promise<never> => new Promise(() => {})

test('work that does not listen to its signal is left behind when the time is up', async () => {
  const clock = createManualClock()
  const bounded = timeout({ ms: 100, what: 'the tool' }, { clock }, never)
  const failed = assert.rejects(bounded, { code: 'dependency_timeout', message: 'the tool took longer than 100 ms' })
  await clock.advance(100)
  await failed
})

test('work that listens to its signal is told why', async () => {
  const clock = createManualClock()
  const reasons: unknown[] = []
  const bounded = timeout({ ms: 100, what: 'the tool', code: 'model_timeout' }, { clock }, (signal) => {
    signal.addEventListener('abort', () => reasons.push(signal.reason))
    return never()
  })
  const failed = assert.rejects(bounded, { code: 'model_timeout' })
  await clock.advance(100)
  await failed
  assert.equal((reasons[0] as SluiceError).code, 'model_timeout')
})

test('one millisecond before the limit the work still counts, and no timer is left', async () => {
  const clock = createManualClock()
  const work = Promise.withResolvers<string>()
  const bounded = timeout({ ms: 100, what: 'the tool' }, { clock }, () => work.promise)
  await clock.advance(99)
  work.resolve('done')
  assert.equal(await bounded, 'done')
  assert.deepEqual(clock.waiting, [])
})

test('the signal of the caller ends the wait with its own reason', async () => {
  const clock = createManualClock()
  const caller = new AbortController()
  const bounded = timeout({ ms: 100, what: 'the tool', signal: caller.signal }, { clock }, never)
  const failed = assert.rejects(bounded, { code: 'lease_lost' })
  caller.abort(new SluiceError('lease_lost', 'gone'))
  await failed
  assert.deepEqual(clock.waiting, [])
})
