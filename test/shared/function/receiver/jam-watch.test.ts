import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAdmission } from '../../../../shared/function/receiver/admission.ts'
import { createJamWatch } from '../../../../shared/function/receiver/jam-watch.ts'
import { createManualClock } from '../../../support/index.ts'

function build() {
  const clock = createManualClock()
  const [one, other] = [0, 1].map(() => createAdmission({ concurrency: 1, queue: 1 }))
  assert.ok(one !== undefined && other !== undefined)
  const watch = createJamWatch([one, other], { longestRunMs: 1_000 }, { clock })
  const after = async (ms: number) => {
    await clock.advance(ms)
    return watch.jammed()
  }
  return { one, after }
}

test('jammed: no place, no place in the queue, and none given back for longer than a run', async () => {
  const { one, after } = build()
  void one.enter()
  void one.enter()
  assert.deepEqual([await after(0), await after(1_000), await after(1)], [false, false, true])
})

test('one place given back in time, and the receiver moves', async () => {
  const { one, after } = build()
  void one.enter()
  void one.enter()
  assert.equal(await after(900), false)
  one.leave()
  void one.enter()
  assert.equal(await after(900), false)
  assert.equal(await after(900), false)
  assert.equal(await after(900), true)
})

test('an idle receiver is never jammed', async () => {
  const { after } = build()
  assert.deepEqual([await after(60_000), await after(60_000)], [false, false])
})
