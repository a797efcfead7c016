import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createHeartbeat } from '../../../shared/lifecycle/index.ts'
import { createManualClock } from '../../support/index.ts'

const never = new AbortController().signal

function build(alive: () => Promise<void> = async () => undefined) {
  const clock = createManualClock(1_000_000)
  const beats: number[] = []
  const gauge = { set: (value: number) => beats.push(value) }
  return { clock, beats, heartbeat: createHeartbeat({ everyMs: 1_000, blockedMs: 5_000 }, { clock, gauge, alive }) }
}

test('the gauge holds epoch seconds, beats on, and stands still after stop', async () => {
  const { clock, beats, heartbeat } = build()
  assert.equal(heartbeat.health().status, 'unknown')
  await heartbeat.start(never)
  await clock.advance(2_500)
  assert.deepEqual(beats, [1_000, 1_001, 1_002])
  assert.deepEqual(heartbeat.health(), { status: 'up', at: 1_002_000 })
  await heartbeat.stop()
  await heartbeat.stop()
  await clock.advance(60_000)
  assert.equal(beats.length, 3)
  assert.equal(heartbeat.blocked(), false)
})

test('the gauge stands still while the receiver is stuck, and moves when it is not any more', async () => {
  let stuck = false
  const { clock, beats, heartbeat } = build(async () => {
    if (stuck) throw new SluiceError('overloaded', 'no place')
  })
  await heartbeat.start(never)
  stuck = true
  await clock.advance(10_000)
  assert.deepEqual(beats, [1_000])
  assert.deepEqual(heartbeat.health(), { status: 'down', at: 1_010_000, error: 'overloaded' })
  assert.equal(heartbeat.blocked(), false) // the loop turns: live
  stuck = false
  await clock.advance(1_000)
  assert.deepEqual(beats, [1_000, 1_011])
  await heartbeat.stop()
})

test('a receiver that does not answer is asked again only when its time is over', async () => {
  let asked = 0
  const { clock, beats, heartbeat } = build(() => {
    asked += 1
    return new Promise(() => undefined)
  })
  await heartbeat.start(never)
  await clock.advance(1_900)
  assert.equal(asked, 1)
  await clock.advance(2_000)
  assert.deepEqual([asked, beats, heartbeat.health().error], [2, [], 'deadline_exceeded'])
  await heartbeat.stop()
})

test('after a block beyond the limit blocked() holds for as long as the limit, also before the timer had its turn', async () => {
  const { clock, heartbeat } = build()
  await heartbeat.start(never)
  clock.block(6_000)
  assert.equal(heartbeat.blocked(), false) // everyMs + blockedMs, to the millisecond
  clock.block(6_001)
  assert.equal(heartbeat.blocked(), true)
  await clock.advance(4_999)
  assert.equal(heartbeat.blocked(), true)
  await clock.advance(1)
  assert.equal(heartbeat.blocked(), false)
  await heartbeat.stop()
})
