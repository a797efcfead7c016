import { test } from 'node:test'
import assert from 'node:assert/strict'
import { jsonLimits } from '../../../../shared/events/index.ts'

test('what passes the depth limit can be stringified and cloned, and so logged and stored', () => {
  const deepest = JSON.parse('['.repeat(jsonLimits.depth) + ']'.repeat(jsonLimits.depth)) as unknown
  assert.equal(JSON.stringify(structuredClone(deepest)).length, 2 * jsonLimits.depth)
})
