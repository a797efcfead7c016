import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffDelay } from '../../../shared/time/index.ts'

const options = { firstMs: 200, maxMs: 60_000 }

test('the ceiling doubles with each failure until it meets the cap, and never overflows', () => {
  const ceilings = [1, 2, 3, 9, 10, 2_000].map((attempt) => backoffDelay(options, attempt, () => 1))
  assert.deepEqual(ceilings, [200, 400, 800, 51_200, 60_000, 60_000])
})

test('jitter spreads over the whole range, zero included', () => {
  assert.equal(
    backoffDelay(options, 5, () => 0),
    0,
  )
  assert.equal(
    backoffDelay(options, 5, () => 0.5),
    1_600,
  )
})

test('an attempt below 1 counts as the first', () => {
  assert.equal(
    backoffDelay(options, 0, () => 1),
    200,
  )
})
