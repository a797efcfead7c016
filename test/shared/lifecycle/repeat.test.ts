import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repeat } from '../../../shared/lifecycle/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const start = (chore: { start(signal: AbortSignal): Promise<void> }): Promise<void> =>
  chore.start(new AbortController().signal)

test('a chore runs each time its pause is over, counted from the end of the last run', async () => {
  const clock = createManualClock()
  let gate = Promise.withResolvers<void>()
  let runs = 0
  const chore = repeat({ name: 'chore', everyMs: 100 }, { clock, log }, async () => {
    runs += 1
    await gate.promise
  })
  await start(chore)
  await clock.advance(99)
  assert.equal(runs, 0)
  await clock.advance(500)
  assert.equal(runs, 1, 'the first run still goes on')
  gate.resolve()
  await clock.advance(100)
  assert.equal(runs, 2)
  gate = Promise.withResolvers<void>()
  gate.resolve()
  await chore.stop()
})

test('a run that fails shows in the health and does not stop the next', async () => {
  const clock = createManualClock()
  let runs = 0
  const chore = repeat({ name: 'chore', everyMs: 100 }, { clock, log }, async () => {
    runs += 1
    if (runs === 1) throw new Error('no database')
  })
  await start(chore)
  await clock.advance(100)
  assert.deepEqual([chore.health().status, chore.health().error], ['down', 'internal'])
  await clock.advance(100)
  assert.deepEqual([runs, chore.health().status], [2, 'up'])
  await chore.stop()
})

test('stop aborts the run under way and waits for it; nothing runs afterwards', async () => {
  const clock = createManualClock()
  let ended = false
  const chore = repeat({ name: 'chore', everyMs: 100 }, { clock, log }, async (signal) => {
    await clock.sleep(60_000, signal).catch(() => undefined)
    ended = true
  })
  await start(chore)
  await clock.advance(100)
  await Promise.all([chore.stop(), chore.stop()])
  assert.ok(ended)
  assert.deepEqual(clock.waiting, [])
})
