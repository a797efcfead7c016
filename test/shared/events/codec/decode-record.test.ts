import { test } from 'node:test'
import assert from 'node:assert/strict'
import { decodeRecord, type EventRecord } from '../../../../shared/events/index.ts'

type Headers = Record<string, string | Buffer | null | undefined>

function record(changed: Headers = {}, value: Buffer | null = Buffer.from('{"a":1}')): EventRecord {
  const headers: Headers = {
    ce_specversion: '1.0',
    ce_id: 'e-1',
    ce_source: '/s',
    ce_type: 't.v1',
    'content-type': 'application/json',
    ...changed,
  }
  return {
    topic: 'tool.results',
    partition: 1,
    offset: 2,
    key: Buffer.from('k'),
    headers: Object.entries(headers).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, typeof text === 'string' ? Buffer.from(text) : text] as const],
    ),
    value,
  }
}

function decode(input: EventRecord) {
  const decoded = decodeRecord(input)
  assert.ok(decoded.ok, decoded.ok ? '' : `${decoded.code}: ${decoded.message}`)
  return decoded
}
const codeOf = (input: EventRecord): string => {
  const decoded = decodeRecord(input)
  return decoded.ok ? decoded.mode : decoded.code
}
const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const envelope = JSON.stringify({ specversion: '1.0', id: 'e-2', source: '/s', type: 't.v1', data: { b: 2 } })
const only = (headers: Headers, value: Buffer | null): EventRecord => ({
  ...record({}, value),
  headers: record(headers).headers.slice(5),
})

test('a binary record is its event, with the position it has in the log', () => {
  const { event, topic, partition, offset, key, mode } = decode(record({ ce_TENANT: 'acme', 'x-request-id': 'r' }))
  assert.deepEqual([mode, topic, partition, offset, key], ['binary', 'tool.results', 1, 2, 'k'])
  assert.deepEqual(event, {
    specversion: '1.0',
    id: 'e-1',
    source: '/s',
    type: 't.v1',
    datacontenttype: 'application/json',
    data: { a: 1 },
    extensions: { tenant: 'acme' },
  })
})

test('text beyond Latin-1 is kept: no KafkaSource stands between', () => {
  assert.equal(decode(record({ ce_id: '日本?' })).event.id, '日本?')
})

test('structured before binary, by its content type in lower case', () => {
  assert.equal(
    decode(record({ 'content-type': 'application/cloudevents+json; charset=utf-8' }, Buffer.from(envelope))).event.id,
    'e-2',
  )
  assert.equal(codeOf(only({ 'x-type': 'application/cloudevents+json' }, Buffer.from(envelope))), 'not_cloudevent')
  assert.equal(codeOf(only({ 'x-type': 'x' }, null)), 'not_cloudevent')
})

test('names match case by case, as the dispatcher does', () => {
  const headers = record().headers.map(([name, value]) => [name.toUpperCase(), value] as const)
  assert.equal(codeOf({ ...record(), headers }), 'not_cloudevent')
  const hyphens = record().headers.map(([name, value]) => [name.replace('ce_', 'ce-'), value] as const)
  assert.equal(codeOf({ ...record(), headers: hyphens }), 'not_cloudevent')
})

test('of two equal headers the last counts', () => {
  const twice = { ...record(), headers: [...record().headers, ['ce_id', Buffer.from('last')] as const] }
  assert.equal(decode(twice).event.id, 'last')
})

test('a null and an empty value are no data', () => {
  assert.equal(decode(record({}, null)).event.data, undefined)
  assert.equal(decode(record({}, Buffer.alloc(0))).event.data, undefined)
})

test('partitionkey comes before the key of the record, and no key is none', () => {
  assert.equal(decode(record({ ce_partitionkey: 'p' })).key, 'p')
  assert.equal(decode({ ...record(), key: null }).key, undefined)
})

test('ce_traceparent comes before the plain header', () => {
  const other = trace.replace('1', '9')
  assert.equal(decode(record({ ce_traceparent: trace, traceparent: other })).trace?.traceId, '1'.repeat(32))
  assert.equal(decode(record({ traceparent: trace })).trace?.traceId, '1'.repeat(32))
})

test('what is no valid CloudEvent has a code', () => {
  assert.equal(codeOf(record({ ce_specversion: '0.3' })), 'ce_invalid')
  assert.equal(codeOf(record({ ce_id: '' })), 'ce_invalid')
  assert.equal(codeOf(record({ ce_tenant: null })), 'ce_invalid')
  assert.equal(codeOf(record({ ce_tenant: Buffer.from([0xff]) })), 'ce_invalid')
  assert.equal(codeOf(record({ 'ce_bad-name': 'x' })), 'ce_invalid')
  assert.equal(codeOf(record({}, Buffer.from('text'))), 'data_invalid')
  assert.equal(codeOf(record({ 'content-type': 'application/cloudevents+json' }, Buffer.from('{'))), 'invalid_json')
})
