import { test } from 'node:test'
import assert from 'node:assert/strict'
import { decodeHttpEvent, encodeHttpEvent } from '../../../../shared/events/index.ts'
import { decodeHttp, headersOf } from './http-requests.ts'

const from = (headers: Record<string, string>): string => decodeHttp(headersOf(headers)).event.id
const position = { 'ce-sluicetopic': 'tool.results', 'ce-knativekafkapartition': '3', 'ce-knativekafkaoffset': '42' }

test('an id of printable ASCII is the identity as it is', () => {
  assert.equal(from({ ...position, 'ce-id': 'a/b:c d%41' }), 'a/b:c d%41')
})

test('two ids that a KafkaSource mangled to the same text stay two, by their position', () => {
  const first = from({ ...position, 'ce-id': '??' })
  const second = from({ ...position, 'ce-id': '??', 'ce-knativekafkaoffset': '43' })
  assert.equal(first, '??@tool.results/3/42')
  assert.notEqual(first, second)
})

test('letters of Latin-1 and a mangled source count too', () => {
  assert.equal(from({ ...position, 'ce-id': 'Zürich' }), 'Zürich@tool.results/3/42')
  assert.equal(from({ ...position, 'ce-id': 'a', 'ce-source': '/??' }), 'a@tool.results/3/42')
})

test('without a position nothing was mangled and nothing is appended', () => {
  assert.equal(from({ 'ce-id': '?' }), '?')
  assert.equal(from({ ...position, 'ce-id': '?', 'ce-knativekafkaoffset': 'x' }), '?')
})

test('an event that is sent again with what was decoded keeps its id', () => {
  const first = decodeHttp(headersOf({ ...position, 'ce-id': '?ü', 'ce-source': '/é' }))
  const again = decodeHttp(encodeHttpEvent(first.event))
  assert.deepEqual(again.event, first.event)
})

test('an id at its limit is still within it with the position, and one above is still refused', () => {
  const suffix = '@tool.results/3/42'
  const fitting = '?'.repeat(1_024 - suffix.length)
  assert.equal(from({ ...position, 'ce-id': fitting }), fitting + suffix)
  for (const length of [fitting.length + 1, 1_024]) {
    assert.match(from({ ...position, 'ce-id': '?'.repeat(length) }), /^sha256:[0-9a-f]{64}@tool\.results\/3\/42$/)
  }
  const refused = decodeHttpEvent(headersOf({ ...position, 'ce-id': '?'.repeat(1_025) }), { bind: () => undefined })
  assert.equal(refused.ok ? 'ok' : refused.code, 'ce_invalid')
})
