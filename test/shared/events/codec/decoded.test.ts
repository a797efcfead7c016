import { test } from 'node:test'
import assert from 'node:assert/strict'
import { decodeHttpEvent, eventLimits } from '../../../../shared/events/index.ts'
import { decodeHttp, headersOf } from './http-requests.ts'

const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const other = `00-${'3'.repeat(32)}-${'4'.repeat(16)}-00`
const traceOf = (headers: Record<string, string>): string | undefined => decodeHttp(headersOf(headers)).trace?.traceId

test("the record's own trace comes before the raw record's header and both before the request's", () => {
  assert.equal(
    traceOf({ 'ce-traceparent': own, 'ce-kafkaheadertraceparent': other, traceparent: other }),
    '1'.repeat(32),
  )
  assert.equal(traceOf({ 'ce-kafkaheadertraceparent': own, traceparent: other }), '1'.repeat(32))
  assert.equal(traceOf({ traceparent: other }), '3'.repeat(32))
})

test('a malformed trace of its own means no trace, not the one of another record; the event is taken', () => {
  assert.equal(traceOf({ 'ce-traceparent': 'garbage', traceparent: other }), undefined)
  assert.equal(traceOf({ 'ce-traceparent': own, 'ce-tracestate': 'a=b,'.repeat(2_560) }), '1'.repeat(32))
})

const keyOf = (headers: Record<string, string>): string | undefined => decodeHttp(headersOf(headers)).key

test('the key is partitionkey, else key, and an empty one is none', () => {
  assert.equal(keyOf({ 'ce-partitionkey': 'p', 'ce-key': 'k' }), 'p')
  assert.equal(keyOf({ 'ce-partitionkey': '', 'ce-key': 'k' }), 'k')
  assert.equal(keyOf({ 'ce-key': '' }), undefined)
})

const keyFrom = (key: string): string | undefined => decodeHttp(headersOf({ 'ce-partitionkey': key })).key

test('a key is kept up to 512 bytes and hashed above, equal keys to equal hashes', () => {
  assert.equal(eventLimits.keyBytes, 512)
  assert.deepEqual(
    [511, 512].map((length) => keyFrom('k'.repeat(length))),
    ['k'.repeat(511), 'k'.repeat(512)],
  )
  assert.match(keyFrom('k'.repeat(513)) ?? '', /^sha256:[0-9a-f]{64}$/)
  assert.equal(keyFrom('é'.repeat(257)), keyFrom('é'.repeat(257)))
  assert.notEqual(keyFrom('k'.repeat(513)), keyFrom('k'.repeat(514)))
})

const positionOf = (partition: string, offset: string) => {
  const decoded = decodeHttp(
    headersOf({ 'ce-knativekafkapartition': partition, 'ce-knativekafkaoffset': offset, 'ce-sluicetopic': 'a.b' }),
  )
  return [decoded.topic, decoded.partition, decoded.offset]
}

test('position and topic come from the extensions of the KafkaSource; what is no whole number is unknown', () => {
  assert.deepEqual(positionOf('7', '9007199254740991'), ['a.b', 7, 9_007_199_254_740_991])
  assert.deepEqual(positionOf('-1', '9007199254740992'), ['a.b', undefined, undefined])
  assert.deepEqual(positionOf('1.5', '1e3'), ['a.b', undefined, undefined])
})

const topicOf = (source: string): string | undefined => decodeHttp(headersOf({ 'ce-source': source })).topic

test('only the source of a KafkaSource names a topic', () => {
  assert.equal(
    topicOf('/apis/v1/namespaces/shop/kafkasources/orders-source#conversation.inbound'),
    'conversation.inbound',
  )
  for (const source of [
    '/apis/v1/namespaces/shop/pingsources/tick#x',
    '/other#orders',
    '/apis/v1/namespaces/a/kafkasources/b',
    'x',
  ]) {
    assert.equal(topicOf(source), undefined, source)
  }
})

test('a tenant is what the extension says, and an empty one is none', () => {
  assert.equal(decodeHttp(headersOf({ 'ce-tenant': 'acme' })).tenant, 'acme')
  assert.equal(decodeHttp(headersOf({ 'ce-tenant': '' })).tenant, undefined)
})

test('a fault still says where the event came from, as far as that could be read', () => {
  const headers = {
    'ce-id': '',
    'ce-sluicetopic': 'a.b',
    'ce-knativekafkapartition': '1',
    'ce-knativekafkaoffset': '2',
    'ce-partitionkey': 'k',
    'ce-traceparent': own,
  }
  const decoded = decodeHttpEvent(headersOf(headers), { bind: () => undefined })
  const { message, trace, ...rest } = decoded as Extract<typeof decoded, { ok: false }>
  assert.deepEqual(rest, {
    ok: false,
    code: 'ce_invalid',
    id: '',
    source: '/s',
    type: 't.v1',
    topic: 'a.b',
    partition: 1,
    offset: 2,
    key: 'k',
  })
  assert.equal(message, 'id is missing or empty')
  assert.equal(trace?.traceId, '1'.repeat(32))
})
