import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLaneToken, parseLaneToken } from '../../../../shared/delivery/lanes/lane-token.ts'

const token = '0191b7c4-5c33-7a3a-9d1e-1f2a3b4c5d6e'

test('a token that was formatted is read back', () => {
  assert.deepEqual(parseLaneToken(formatLaneToken({ token, epoch: 12 })), { token, epoch: 12 })
})

test('anything else is no token, and never reaches the database', () => {
  for (const text of [
    '',
    token,
    `${token}.`,
    `${token}.-1`,
    `${token}.1.2`,
    `${token.toUpperCase()}.1`,
    `${token}.1 `,
    `x${token}.1`,
    `${token}.${'9'.repeat(16)}`,
  ])
    assert.equal(parseLaneToken(text), undefined, text)
})
