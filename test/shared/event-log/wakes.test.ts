import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWakes } from '../../../shared/event-log/wakes.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const never = new AbortController().signal

test('a wait ends with a wake of its topic, and not with that of another', async () => {
  const clock = createManualClock()
  const wakes = createWakes({ clock, log })
  let ended = false
  const waiting = wakes.wait({ topic: 'a', seen: wakes.count('a'), ms: 1_000 }, never).then(() => (ended = true))
  wakes.wake('b')
  await new Promise(setImmediate)
  assert.equal(ended, false)
  wakes.wake('a')
  await waiting
  assert.deepEqual(clock.waiting, [], 'no timer is left')
})

test('a wake between the look and the wait is not missed', async () => {
  const wakes = createWakes({ clock: createManualClock(), log })
  const seen = wakes.count('a')
  wakes.wake('a')
  await wakes.wait({ topic: 'a', seen, ms: 1_000 }, never)
})

test('a wait ends after its time, or with the reason of its signal', async () => {
  const clock = createManualClock()
  const wakes = createWakes({ clock, log })
  const waiting = wakes.wait({ topic: 'a', seen: 0, ms: 1_000 }, never)
  await clock.advance(1_000)
  await waiting
  const stopping = new AbortController()
  const aborted = wakes.wait({ topic: 'a', seen: 0, ms: 1_000 }, stopping.signal)
  const reason = new Error('enough')
  stopping.abort(reason)
  await assert.rejects(aborted, (error) => error === reason)
})

test('listeners hear the topic until they stop, whatever another listener throws', () => {
  const wakes = createWakes({ clock: createManualClock(), log })
  const heard: string[] = []
  wakes.onWake(() => {
    throw new Error('listener')
  })
  const listening = wakes.onWake((topic) => heard.push(topic))
  wakes.wake('a')
  listening.stop()
  wakes.wake('b')
  assert.deepEqual(heard, ['a'])
})
