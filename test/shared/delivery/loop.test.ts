import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoop } from '../../../shared/delivery/loop.ts'
import { createManualClock, until } from '../../support/index.ts'

test('it works at once, at each tick, and sooner when a pass asks for it', async () => {
  const clock = createManualClock()
  const times: number[] = []
  const dues = [undefined, 300, 5_000, undefined]
  const loop = createLoop({ tickMs: 1_000 }, { clock }, async () => {
    times.push(clock.monotonic())
    return dues[times.length - 1]
  })
  loop.start()
  await clock.advance(2_400)
  assert.deepEqual(times, [0, 1_000, 1_300, 2_300])
  await loop.stop()
})

test('a wake ends the pause; a wake during a pass causes another pass', async () => {
  const clock = createManualClock()
  let passes = 0
  const busy = Promise.withResolvers<undefined>()
  const loop = createLoop({ tickMs: 1_000 }, { clock }, async () => {
    passes += 1
    return passes === 2 ? busy.promise : undefined
  })
  loop.start()
  await until('it pauses', () => clock.waiting.length === 1)
  loop.wake()
  await until('it is in its second pass', () => passes === 2)
  loop.wake()
  loop.wake()
  busy.resolve(undefined)
  await until('it made one more pass', () => passes === 3 && clock.waiting.length === 1)
  await loop.stop()
})

test('stop aborts and awaits the pass under way, and is safe before the start and twice', async () => {
  const clock = createManualClock()
  const idle = createLoop({ tickMs: 1_000 }, { clock }, async () => assert.fail('must not run'))
  await idle.stop()
  let ended = false
  const loop = createLoop({ tickMs: 1_000 }, { clock }, async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    ended = true
    return undefined
  })
  loop.start()
  await Promise.all([loop.stop(), loop.stop()])
  assert.ok(ended)
})
