import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createOverloadGuard } from '../../../../shared/function/receiver/overload-guard.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { atEnd, createManualClock } from '../../../support/index.ts'

async function subject(t: TestContext) {
  const clock = createManualClock()
  let heap = 20
  const instruments = createInstruments({ function: 'test' })
  const log = createLogger({ function: 'test', level: 'silent' })
  const guard = createOverloadGuard(
    { lagMs: 1_000, heapPercent: 90 },
    { clock, log, instruments, heapPercent: () => heap },
  )
  await guard.start(new AbortController().signal)
  atEnd(t, () => guard.stop())
  return {
    guard,
    setHeap: (percent: number) => (heap = percent),
    /** One look that comes so late. */
    look: async (lateMs = 0) => {
      clock.block(250 + lateMs)
      await clock.advance(0)
    },
    shown: async () =>
      (await instruments.overloaded.get()).values.map(({ labels, value }) => `${labels.guard} ${value}`),
  }
}

test('a loop that answers late twice sheds; one late answer is nothing', async (t) => {
  const { guard, look, shown } = await subject(t)
  assert.equal(guard.sheds(), undefined)
  await look(1_001)
  await look()
  await look(1_001)
  assert.equal(guard.sheds(), undefined)
  await look(1_001)
  assert.equal(guard.sheds(), 'event-loop')
  assert.deepEqual(await shown(), ['event-loop 1', 'heap 0'])
})

test('it takes work again after four good looks below half of the limit', async (t) => {
  const { guard, look, shown } = await subject(t)
  await look(2_000)
  await look(2_000)
  for (const lateMs of [100, 100, 100, 600]) await look(lateMs)
  assert.equal(guard.sheds(), 'event-loop', '600 ms are less than the limit, and not yet well')
  for (const lateMs of [499, 0, 0]) await look(lateMs)
  assert.equal(guard.sheds(), 'event-loop')
  await look()
  assert.equal(guard.sheds(), undefined)
  assert.deepEqual(await shown(), ['event-loop 0', 'heap 0'])
})

test('a heap at its limit is not shed for, one above it is, until it is ten points lower', async (t) => {
  const { guard, look, setHeap } = await subject(t)
  setHeap(90)
  for (let looks = 0; looks < 5; looks += 1) await look()
  assert.equal(guard.sheds(), undefined)
  setHeap(91)
  await look()
  await look()
  assert.equal(guard.sheds(), 'heap')
  setHeap(80)
  for (let looks = 0; looks < 8; looks += 1) await look()
  assert.equal(guard.sheds(), 'heap')
  setHeap(79)
  for (let looks = 0; looks < 4; looks += 1) await look()
  assert.equal(guard.sheds(), undefined)
})

test('a real heap is measured in percent of what it may grow to', async (t) => {
  const instruments = createInstruments({ function: 'test' })
  const clock = createManualClock()
  const log = createLogger({ function: 'test', level: 'silent' })
  const guard = createOverloadGuard({ lagMs: 60_000, heapPercent: 0.001 }, { clock, log, instruments })
  await guard.start(new AbortController().signal)
  atEnd(t, () => guard.stop())
  await clock.advance(250)
  await clock.advance(250)
  assert.equal(guard.sheds(), 'heap')
})
