import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatEntry, formatMoment } from '../../../local/simulation/index.ts'

test('a moment is hours, minutes, seconds and milliseconds', () => {
  assert.deepEqual([0, 61_001.4, 90_061_999.6].map(formatMoment), ['+0:00:00.000', '+0:01:01.001', '+25:01:02.000'])
})

test('an entry says when, who and what', () => {
  assert.equal(formatEntry({ atMs: 1_500, actor: 'lane', text: 'parked' }), '+0:00:01.500  lane      parked')
})
