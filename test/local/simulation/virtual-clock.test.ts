import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVirtualClock } from '../../../local/simulation/index.ts'

test('timers fire by time, and in the order in which they were set within a moment', async () => {
  const clock = createVirtualClock({ startMs: 0 })
  const fired: string[] = []
  clock.after(20, () => fired.push('c'))
  clock.after(10, () => fired.push('a'))
  clock.after(10, () => fired.push('b'))
  const cancelled = clock.after(15, () => fired.push('never'))
  cancelled.cancel()
  assert.equal(await clock.run(() => fired.length === 3, 1_000), 'done')
  assert.deepEqual(fired, ['a', 'b', 'c'])
  assert.equal(clock.now(), 20)
})

test('everything that follows from one timer has happened before the next one fires', async () => {
  const clock = createVirtualClock({ startMs: 0 })
  const seen: string[] = []
  const first = async (): Promise<void> => {
    await clock.sleep(10)
    for (let step = 0; step < 20; step += 1) await Promise.resolve()
    seen.push('first, to its end')
  }
  void first()
  void clock.sleep(10).then(() => seen.push('second'))
  await clock.run(() => seen.length === 2, 1_000)
  assert.deepEqual(seen, ['first, to its end', 'second'])
})

test('a limit is a time, too: it passes whether or not there are timers', async () => {
  const clock = createVirtualClock({ startMs: 0 })
  assert.equal(await clock.run(() => false, 3_600_000), 'limit')
  assert.equal(clock.now(), 3_600_000)
})

test('time waits for what is really under way', async () => {
  let busy = true
  const clock = createVirtualClock({ startMs: 0, busy: () => busy })
  let firedWhileBusy = false
  clock.after(1, () => (firedWhileBusy = busy))
  setTimeout(() => (busy = false), 20)
  await clock.run(() => clock.now() >= 1, 10)
  assert.equal(firedWhileBusy, false)
})
