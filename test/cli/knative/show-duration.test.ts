import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showMs } from '../../../cli/knative/show-duration.ts'

test('durations are shown exactly, largest unit first', () => {
  const shown = [0, 1, 999, 1_000, 1_500, 29_000, 60_000, 3_630_000, 604_800_000].map(showMs)
  assert.deepEqual(shown, ['0 s', '1 ms', '999 ms', '1 s', '1.5 s', '29 s', '1 min', '1 h 30 s', '7 d'])
})
