import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createDeadline } from '../../../shared/time/index.ts'
import { createManualClock } from '../../support/index.ts'

test('the signal aborts with deadline_exceeded when the time is over, and names the work', async () => {
  const clock = createManualClock()
  const deadline = createDeadline({ ms: 50, what: 'the turn' }, { clock })
  await clock.advance(20)
  assert.equal(deadline.remainingMs(), 30)
  assert.equal(deadline.signal.aborted, false)
  await clock.advance(40)
  assert.equal(deadline.remainingMs(), 0)
  assert.ok(deadline.signal.reason instanceof SluiceError)
  assert.equal(deadline.signal.reason.code, 'deadline_exceeded')
  assert.match(deadline.signal.reason.message, /the turn took longer than 50 ms/)
})

test('the signal aborts with the reason of the parent when that comes first', () => {
  const clock = createManualClock()
  const parent = new AbortController()
  const deadline = createDeadline({ ms: 50, what: 'the turn', parent: parent.signal }, { clock })
  parent.abort(new Error('parent'))
  assert.equal((deadline.signal.reason as Error).message, 'parent')
  deadline.cancel()
})

test('a cancelled deadline leaves no timer behind', () => {
  const clock = createManualClock()
  createDeadline({ ms: 50, what: 'the turn' }, { clock }).cancel()
  assert.deepEqual(clock.waiting, [])
})
