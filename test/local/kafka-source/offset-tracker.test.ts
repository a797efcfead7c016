import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOffsetTracker } from '../../../local/kafka-source/offset-tracker.ts'

test('the offset to commit never passes a record that is not settled', () => {
  const offsets = createOffsetTracker()
  for (const offset of [5, 6, 7]) offsets.received(offset)
  offsets.settled(7)
  offsets.settled(6)
  assert.equal(offsets.takeAdvance(), undefined)
  offsets.settled(5)
  assert.equal(offsets.takeAdvance(), 8)
})

test('an advance is offered once, and again when it was given back', () => {
  const offsets = createOffsetTracker()
  offsets.received(0)
  offsets.settled(0)
  assert.equal(offsets.takeAdvance(), 1)
  assert.equal(offsets.takeAdvance(), undefined)
  offsets.giveBack()
  assert.equal(offsets.takeAdvance(), 1)
})

test('offsets that nobody received do not hold the commit', () => {
  const offsets = createOffsetTracker()
  offsets.received(3)
  offsets.received(9)
  offsets.settled(3)
  assert.equal(offsets.takeAdvance(), 4)
  offsets.settled(9)
  assert.equal(offsets.takeAdvance(), 10)
})
