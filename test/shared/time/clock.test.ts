import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../shared/time/index.ts'
import { createManualClock } from '../../support/index.ts'

test('a sleep ends when its time has come', async () => {
  const clock = createManualClock()
  let woke = false
  const sleeping = clock.sleep(100).then(() => (woke = true))
  await clock.advance(99)
  assert.equal(woke, false)
  await clock.advance(1)
  await sleeping
  assert.equal(woke, true)
})

test('a sleep whose signal aborts rejects with the reason and leaves no timer behind', async () => {
  const clock = createManualClock()
  const controller = new AbortController()
  const sleeping = clock.sleep(100, controller.signal)
  controller.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  assert.deepEqual(clock.waiting, [])
})

test('a sleep on an aborted signal does not begin', async () => {
  const clock = createManualClock()
  await assert.rejects(clock.sleep(100, AbortSignal.abort(new Error('before'))), /before/)
  assert.deepEqual(clock.waiting, [])
})

test('the system clock never goes back and a cancelled timer never fires', async () => {
  const before = systemClock.monotonic()
  let fired = false
  const timer = systemClock.after(1, () => (fired = true))
  timer.cancel()
  timer.cancel()
  await systemClock.sleep(5)
  assert.equal(fired, false)
  assert.ok(systemClock.monotonic() > before)
})
