import assert from 'node:assert/strict'
import { setImmediate as macrotask } from 'node:timers/promises'
import { test } from 'node:test'
import { createAdmission } from '../../../../shared/function/receiver/admission.ts'

test('as many enter as there are places, as many wait as the queue takes, the rest is refused', () => {
  const admission = createAdmission({ concurrency: 2, queue: 1 })
  assert.deepEqual([admission.enter(), admission.enter()], ['entered', 'entered'])
  assert.equal(admission.full(), false)
  assert.ok(admission.enter() instanceof Promise)
  assert.equal(admission.full(), true)
  assert.equal(admission.enter(), 'refused')
})

test('a place that is left goes to the one that has waited longest, and never to two', async () => {
  const admission = createAdmission({ concurrency: 1, queue: 5 })
  void admission.enter()
  const order: string[] = []
  for (const name of ['a', 'b', 'c']) void Promise.resolve(admission.enter()).then(() => order.push(name))
  admission.leave()
  await macrotask()
  assert.deepEqual(order, ['a'])
  admission.leave()
  admission.leave()
  await macrotask()
  assert.deepEqual(order, ['a', 'b', 'c'])
  admission.leave()
  assert.equal(admission.enter(), 'entered')
})

test('without a queue nobody waits', () => {
  const admission = createAdmission({ concurrency: 1, queue: 0 })
  void admission.enter()
  assert.equal(admission.full(), true)
  assert.equal(admission.enter(), 'refused')
})
