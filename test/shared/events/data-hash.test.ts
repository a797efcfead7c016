import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { dataHash } from '../../../shared/events/index.ts'

const hash = (data: unknown, type = 't.v1'): string => dataHash({ type, data }).toString('hex')

test('the hash is 32 bytes and does not depend on the order of keys or the way the JSON was written', () => {
  assert.equal(dataHash({ type: 't.v1', data: {} }).length, 32)
  assert.equal(
    hash(JSON.parse('{"a":1.00,"b":{"c":[1,2],"d":"é"}}')),
    hash(JSON.parse('{ "b": {"d":"\\u00e9","c":[1,2]}, "a": 1 }')),
  )
})

test('another type, another value, another order of items, or data of another kind is another hash', () => {
  const values: unknown[] = [
    undefined,
    null,
    '',
    'a',
    '"a"',
    1,
    '1',
    [],
    [1, 2],
    [2, 1],
    {},
    { a: 1 },
    { a: [1] },
    Buffer.alloc(0),
    Buffer.from('null'),
    Buffer.from('a'),
  ]
  assert.equal(new Set(values.map((value) => hash(value))).size, values.length)
  assert.notEqual(hash({}, 't.v1'), hash({}, 't.v2'))
})

test('the hash survives storing: what jsonb or a record gives back hashes the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const stored = JSON.parse(JSON.stringify(value)) as unknown
      assert.equal(hash(reversed(stored)), hash(stored))
    }),
  )
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  )
}
