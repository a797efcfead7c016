import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeRecord, encodeRecord, recordBytes, type CloudEvent } from '../../../../shared/events/index.ts'
import { contentKind } from '../../../../shared/events/codec/content.ts'
import { anyText, eventsWith } from './arbitrary-events.ts'

const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const event: CloudEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/s',
  type: 't.v1',
  time: '2026-09-01T10:15:30.123Z',
  datacontenttype: 'application/json',
  data: { a: 1 },
  extensions: { tenant: 'acme', traceparent: trace },
}
const texts = (headers: readonly (readonly [string, Buffer])[]) =>
  headers.map(([name, value]) => [name, value.toString()])

test('the record is a binary CloudEvent with plain trace headers beside', () => {
  const { key, headers, value, timestampMs } = encodeRecord(event, { key: 's-1' })
  assert.deepEqual(
    [key.toString(), value.toString(), timestampMs],
    ['s-1', '{"a":1}', Date.parse('2026-09-01T10:15:30.123Z')],
  )
  assert.deepEqual(texts(headers), [
    ['ce_specversion', '1.0'],
    ['ce_id', 'e-1'],
    ['ce_source', '/s'],
    ['ce_type', 't.v1'],
    ['ce_time', '2026-09-01T10:15:30.123Z'],
    ['ce_tenant', 'acme'],
    ['ce_traceparent', trace],
    ['content-type', 'application/json'],
    ['traceparent', trace],
    ['trace_id', '1'.repeat(32)],
    ['span_id', '2'.repeat(16)],
  ])
})

test('any event comes back from its record; without a content type it gets the one its data has', () => {
  fc.assert(
    fc.property(eventsWith(anyText), (sent) => {
      const decoded = decodeRecord({ ...encodeRecord(sent, { key: 'k' }), topic: 't', partition: 0, offset: 0 })
      assert.ok(decoded.ok, decoded.ok ? '' : decoded.message)
      assert.deepEqual(decoded.event, asCarried(sent))
    }),
    { numRuns: 500 },
  )
})

// Binary mode has no empty data and no data without a type
function asCarried(sent: CloudEvent): CloudEvent {
  const { data } = sent
  const isBytes = data instanceof Uint8Array
  const given = sent.datacontenttype
  const isEmpty =
    data === undefined ||
    (isBytes && data.length === 0) ||
    (data === '' && given !== undefined && contentKind(given) === 'text')
  const datacontenttype =
    given ?? (data === undefined ? undefined : isBytes ? 'application/octet-stream' : 'application/json')
  return { ...sent, ...(datacontenttype === undefined ? {} : { datacontenttype }), data: isEmpty ? undefined : data }
}

test('a malformed trace gives no plain trace headers', () => {
  const { headers } = encodeRecord({ ...event, extensions: { traceparent: 'garbage' } }, { key: 'k' })
  assert.equal(
    headers.some(([name]) => name === 'traceparent' || name === 'trace_id'),
    false,
  )
})

test('no data is an empty value, never a tombstone', () => {
  assert.equal(encodeRecord({ ...event, data: undefined }, { key: 'k' }).value.length, 0)
})

test('an event that a KafkaSource could not deliver is refused here', () => {
  const changes: Partial<CloudEvent>[] = [
    { id: '' },
    { subject: 'a\nb' },
    { extensions: { tenant: '\u001b[31m' } },
    { extensions: { 'bad-name': 'x' } },
    { time: 'now' },
    { datacontenttype: 'application/cloudevents+json' },
    { datacontenttype: 'text/plain\r\nx: y' },
  ]
  for (const change of changes)
    assert.throws(() => encodeRecord({ ...event, ...change }, { key: 'k' }), {
      name: 'SluiceError',
      code: 'ce_invalid',
    })
})

test('the size of a record is its key, its headers and its value', () => {
  const record = {
    key: Buffer.from('ab'),
    headers: [
      ['é', Buffer.from('abc')],
      ['n', null],
    ] as const,
    value: Buffer.from('abcd'),
  }
  assert.equal(recordBytes(record), 2 + 2 + 3 + 1 + 4)
  assert.equal(recordBytes({ key: null, headers: [], value: null }), 0)
})
