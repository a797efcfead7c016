import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createPhaseTimer } from '../../../shared/model/phase-timer.ts'
import type { SluiceError } from '../../../shared/errors/index.ts'
import { createManualClock } from '../../support/index.ts'

const phaseOf = (signal: AbortSignal) => (signal.aborted ? (signal.reason as SluiceError).details['phase'] : undefined)

test('a phase that takes too long aborts with its name, one millisecond earlier it does not', async () => {
  const clock = createManualClock()
  const timer = createPhaseTimer({ totalMs: 1_000 }, { clock })
  timer.enter('first token', 100)
  await clock.advance(99)
  assert.equal(phaseOf(timer.signal), undefined)
  await clock.advance(1)
  assert.equal(phaseOf(timer.signal), 'first token')
})

test('each phase begins anew, the total does not', async () => {
  const clock = createManualClock()
  const timer = createPhaseTimer({ totalMs: 1_000 }, { clock })
  for (let chunk = 0; chunk < 11; chunk += 1) {
    timer.enter('next chunk', 100)
    await clock.advance(90)
  }
  assert.equal(phaseOf(timer.signal), undefined)
  timer.enter('next chunk', 100)
  await clock.advance(10)
  assert.equal(phaseOf(timer.signal), 'total')
})

test('a stopped timer leaves nothing behind', async () => {
  const clock = createManualClock()
  const timer = createPhaseTimer({ totalMs: 1_000 }, { clock })
  timer.enter('first token', 100)
  timer.stop()
  assert.deepEqual(clock.waiting, [])
})
