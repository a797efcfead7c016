import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinTimeLimit } from '../../../../shared/delivery/runs/time-limit.ts'
import { createManualClock } from '../../../support/index.ts'

const limit = { ms: 1_000, what: 'the handler', parent: new AbortController().signal }

test('work that ends in time gives its result and leaves no timer', async () => {
  const clock = createManualClock()
  assert.equal(await withinTimeLimit(limit, { clock }, async () => 'result'), 'result')
  assert.deepEqual(clock.waiting, [])
})

test('work that ignores its signal is over all the same, and its late failure hurts nobody', async () => {
  const clock = createManualClock()
  const late = Promise.withResolvers<never>()
  const limited = withinTimeLimit(limit, { clock }, () => late.promise)
  const rejected = assert.rejects(limited, { code: 'deadline_exceeded' })
  await clock.advance(1_000)
  await rejected
  late.reject(new Error('too late'))
  await clock.advance(0)
})

test('the parent ends the work with its own reason, also before it began', async () => {
  const clock = createManualClock()
  const parent = new AbortController()
  const running = withinTimeLimit({ ...limit, parent: parent.signal }, { clock }, () => new Promise(() => undefined))
  parent.abort(new Error('draining'))
  await assert.rejects(running, /draining/)
  await assert.rejects(
    withinTimeLimit({ ...limit, parent: parent.signal }, { clock }, () => assert.fail('must not run')),
    /draining/,
  )
  assert.deepEqual(clock.waiting, [])
})

test('work that throws before its first await rejects', async () => {
  const clock = createManualClock()
  const work = (): Promise<never> => {
    throw new Error('at once')
  }
  await assert.rejects(withinTimeLimit(limit, { clock }, work), /at once/)
})
