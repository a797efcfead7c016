import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPosition, parsePosition } from '../../../shared/memory/index.ts'

test('a position reads back as it was written, whatever the key', () => {
  for (const key of ['k', 'turn:s1:t1', '7@7', 'a@b@c', 'x'.repeat(200)]) {
    const position = { key, sequence: 7 }
    assert.deepEqual(parsePosition(formatPosition(position)), position)
  }
})

test('anything else is no position', () => {
  for (const text of ['', '1', '@k', '0@k', '-1@k', '01@k', '1@', '1@with space', `1@${'x'.repeat(201)}`, '1e3@k'])
    assert.equal(parsePosition(text), undefined, text)
})
