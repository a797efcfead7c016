import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeltaFilter, type DeltaFilter } from '../../../../functions/gateway/stream/delta-filter.ts'

const admits = (
  filter: DeltaFilter,
  place: readonly [round: number, attempt: number, index: number],
  turnId = 't1',
): boolean => {
  const [round, attempt, index] = place
  return filter.admits({ kind: 'delta', turn_id: turnId, round, attempt, index, text: 'x' })
}
const started = { type: 'conversation.turn.started.v1', turn_id: 't1' }
const failed = { type: 'conversation.turn.failed.v1', turn_id: 't1' }

test('pieces pass in the order of round, attempt and index, each once; what lies behind does not', () => {
  const filter = createDeltaFilter()
  filter.passed(started)
  const places = [
    [1, 1, 0],
    [1, 1, 1],
    [1, 1, 1],
    [1, 2, 0],
    [1, 1, 2],
    [1, 2, 1],
    [2, 1, 0],
    [1, 3, 0],
  ] as const
  assert.deepEqual(
    places.map((place) => admits(filter, place)),
    [true, true, false, true, false, true, true, false],
  )
})

test('a client that came in the middle begins in the middle', () => {
  const filter = createDeltaFilter()
  assert.equal(filter.knows('t1'), false)
  assert.equal(admits(filter, [2, 1, 17]), true)
  assert.equal(filter.knows('t1'), true)
})

test('nothing passes after the end of the turn, and turns do not mix', () => {
  const filter = createDeltaFilter()
  filter.passed(started)
  filter.passed(failed)
  assert.equal(admits(filter, [9, 9, 9]), false)
  assert.equal(admits(filter, [1, 1, 0], 't2'), true)
})

test('it remembers the last hundred turns and no more', () => {
  const filter = createDeltaFilter()
  filter.passed(failed)
  for (let n = 0; n < 99; n += 1) filter.passed({ ...failed, turn_id: `other-${n}` })
  assert.equal(filter.knows('t1'), true)
  filter.passed({ ...failed, turn_id: 'one more' })
  assert.equal(filter.knows('t1'), false)
})
