import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeartbeat } from '../../../shared/lifecycle/index.ts'
import { createManualClock } from '../../support/index.ts'

test('the gauge holds epoch seconds, beats on, and stands still after stop', async () => {
  const clock = createManualClock(1_000_000)
  const beats: number[] = []
  const heartbeat = createHeartbeat({ everyMs: 1_000 }, { clock, gauge: { set: (value) => beats.push(value) } })
  assert.equal(heartbeat.health().status, 'unknown')
  await heartbeat.start(new AbortController().signal)
  await clock.advance(2_500)
  assert.deepEqual(beats, [1_000, 1_001, 1_002])
  assert.deepEqual(heartbeat.health(), { status: 'up', at: 1_002_000 })
  await heartbeat.stop()
  await heartbeat.stop()
  await clock.advance(5_000)
  assert.equal(beats.length, 3)
})
