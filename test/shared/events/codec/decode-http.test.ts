import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  conversationMessageReceived,
  decodeHttpEvent,
  toolCallFinished,
  type Binding,
  type HttpEventRequest,
} from '../../../../shared/events/index.ts'
import { decodeHttp, headersOf, structured } from './http-requests.ts'

const codeOf = (request: HttpEventRequest, bind: (topic: string) => Binding = () => undefined): string => {
  const decoded = decodeHttpEvent(request, { bind })
  return decoded.ok ? decoded.mode : decoded.code
}
const envelope = { specversion: '1.0', id: 'e-1', source: '/s', type: 't.v1', data: {} }
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

test('a binary event has its attributes from the headers and its data from the body', () => {
  const request = headersOf(
    {
      'ce-subject': 'a b',
      'ce-time': '2026-09-01T10:15:30Z',
      'ce-dataschema': 'urn:x',
      'ce-tenant': 'acme',
      'x-other': 'ignored',
    },
    '{"a":1}',
  )
  const { event, mode } = decodeHttp(request)
  assert.equal(mode, 'binary')
  assert.deepEqual(event, {
    specversion: '1.0',
    id: 'e-1',
    source: '/s',
    type: 't.v1',
    subject: 'a b',
    time: '2026-09-01T10:15:30Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:x',
    data: { a: 1 },
    extensions: { tenant: 'acme' },
  })
})

test('a structured event is its envelope', () => {
  const { event, mode } = decodeHttp(
    structured({ ...envelope, datacontenttype: 'application/json', tenant: 'acme', sequence: 5, last: true }),
  )
  assert.equal(mode, 'structured')
  assert.deepEqual(event.extensions, { tenant: 'acme', sequence: '5', last: 'true' })
  assert.deepEqual(event.data, {})
})

test('structured wins over ce-* headers by its content type, in any case and with parameters', () => {
  for (const type of ['application/cloudevents+json', 'Application/CloudEvents+JSON; charset=UTF-8']) {
    const { event, mode } = decodeHttp(
      structured(envelope, {
        'content-type': type,
        'ce-specversion': '1.0',
        'ce-id': 'other',
        'ce-type': 'other.v1',
        'ce-source': '/o',
      }),
    )
    assert.deepEqual([mode, event.id, event.type], ['structured', 'e-1', 't.v1'])
  }
})

// [what, request, code]: the rows of bad input that reach an event receiver
const bad: readonly (readonly [string, HttpEventRequest, string])[] = [
  [
    'neither ce-* headers nor a CloudEvents content type',
    { headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') },
    'not_cloudevent',
  ],
  ...['ce-specversion', 'ce-id', 'ce-source', 'ce-type'].flatMap(
    (name) =>
      [
        [`${name} missing`, headersOf({ [name]: undefined }), 'ce_invalid'],
        [`${name} empty`, headersOf({ [name]: '' }), 'ce_invalid'],
      ] as const,
  ),
  ...['specversion', 'id', 'source', 'type'].flatMap(
    (name) =>
      [
        [`structured without ${name}`, structured({ ...envelope, [name]: undefined }), 'ce_invalid'],
        [`structured with an empty ${name}`, structured({ ...envelope, [name]: '' }), 'ce_invalid'],
        [`structured with a number as ${name}`, structured({ ...envelope, [name]: 1 }), 'ce_invalid'],
      ] as const,
  ),
  ['specversion 0.3', headersOf({ 'ce-specversion': '0.3' }), 'ce_invalid'],
  ['specversion 2.0', headersOf({ 'ce-specversion': '2.0' }), 'ce_invalid'],
  ['an id above 1 kB', headersOf({ 'ce-id': 'i'.repeat(1_025) }), 'ce_invalid'],
  ['a source above 1 kB', structured({ ...envelope, source: 's'.repeat(1_025) }), 'ce_invalid'],
  ['NUL in an id', headersOf({ 'ce-id': 'a\0' }), 'ce_invalid'],
  [
    'NUL in a structured id',
    structured('{"specversion":"1.0","id":"a\\u0000","source":"/s","type":"t"}'),
    'invalid_character',
  ],
  [
    'a batch',
    structured([envelope], { 'content-type': 'application/cloudevents-batch+json' }),
    'unsupported_media_type',
  ],
  [
    'another event format',
    structured('<e/>', { 'content-type': 'application/cloudevents+xml' }),
    'unsupported_media_type',
  ],
  [
    'an envelope in UTF-16',
    structured(envelope, { 'content-type': 'application/cloudevents+json; charset=utf-16' }),
    'unsupported_media_type',
  ],
  ['JSON data in UTF-16', headersOf({ 'content-type': 'application/json; charset=utf-16' }), 'unsupported_media_type'],
  ['% without hex digits', headersOf({ 'ce-tenant': '%ZZ' }), 'ce_invalid'],
  ['CR LF in a value', headersOf({ 'ce-tenant': 'a\r\nb' }), 'ce_invalid'],
  ['CR LF in a structured value', structured({ ...envelope, tenant: 'a\r\nb' }), 'ce_invalid'],
  ['data and data_base64', structured({ ...envelope, data_base64: 'e30=' }), 'data_invalid'],
  ['bad base64', structured({ ...envelope, data: undefined, data_base64: 'e30' }), 'data_invalid'],
  ['base64 that is no text', structured({ ...envelope, data: undefined, data_base64: 5 }), 'data_invalid'],
  ['data that is not JSON under a JSON type', headersOf({}, 'hello'), 'data_invalid'],
  [
    'bytes that are not JSON under a JSON type, as base64',
    structured({ ...envelope, data: undefined, datacontenttype: 'application/json', data_base64: 'aGVsbG8=' }),
    'data_invalid',
  ],
  [
    'a body that is not UTF-8',
    { headers: headersOf().headers, body: Buffer.from([0x22, 0xff, 0x22]) },
    'invalid_encoding',
  ],
  ['a time without a zone', headersOf({ 'ce-time': '2026-09-01T10:15:30' }), 'ce_invalid'],
  ['a year of five digits', headersOf({ 'ce-time': '99999-01-01T00:00:00Z' }), 'ce_invalid'],
  ['a leap second', structured({ ...envelope, time: '2026-06-30T23:59:60Z' }), 'ce_invalid'],
  [
    '200 extensions',
    headersOf(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`ce-x${i}`, 'v']))),
    'ce_invalid',
  ],
  ['an upper-case name', structured({ ...envelope, Tenant: 'acme' }), 'ce_invalid'],
  ['an extension called data', headersOf({ 'ce-data': 'x' }), 'ce_invalid'],
  ['an underscore in a name', headersOf({ 'ce-data_base64': 'x' }), 'ce_invalid'],
  ['an object as an extension', structured({ ...envelope, x: { a: 1 } }), 'ce_invalid'],
  ['a fraction as an extension', structured({ ...envelope, x: 1.5 }), 'ce_invalid'],
  ['an integer of more than 32 bits as an extension', structured({ ...envelope, x: 2_147_483_648 }), 'ce_invalid'],
  ['an envelope that is not JSON', structured('{"specversion":'), 'invalid_json'],
  ['an empty envelope', structured(''), 'invalid_json'],
  ['an envelope that is a list', structured([]), 'ce_invalid'],
  ['an envelope that is null', structured('null'), 'ce_invalid'],
  [
    'an id twice in the envelope',
    structured('{"specversion":"1.0","id":"a","id":"b","source":"/s","type":"t"}'),
    'duplicate_key',
  ],
  ['__proto__ in the data', headersOf({}, '{"a":{"__proto__":{"x":1}}}'), 'forbidden_key'],
  [
    'a prototype key in the envelope',
    structured('{"__proto__":{"x":1},"specversion":"1.0","id":"a","source":"/s","type":"t"}'),
    'forbidden_key',
  ],
  ['data nested too deeply', headersOf({}, '['.repeat(10_000) + ']'.repeat(10_000)), 'too_complex'],
  ['a number that would be rounded', headersOf({}, '9007199254740993'), 'number_out_of_range'],
  ['a lone surrogate', headersOf({}, '"\\ud800"'), 'invalid_character'],
]
for (const [what, request, code] of bad) {
  test(`${what} is ${code}`, () => assert.equal(codeOf(request), code))
}

test('an empty optional attribute is an absent one', () => {
  const { event } = decodeHttp(headersOf({ 'ce-subject': '', 'ce-dataschema': '' }))
  assert.deepEqual(['subject' in event, 'dataschema' in event], [false, false])
})

test('a null member of an envelope is an absent attribute, but null data is data', () => {
  const { event } = decodeHttp(structured({ ...envelope, subject: null, x: null, data: null }))
  assert.deepEqual([event.subject, event.extensions, event.data], [undefined, {}, null])
  assert.equal(decodeHttp(structured({ ...envelope, data: undefined })).event.data, undefined)
})

test('% is literal: through a KafkaSource any, from elsewhere only in front of two hex digits', () => {
  const { event } = decodeHttp(headersOf({ 'ce-tenant': '%41%e4' }))
  assert.equal(event.extensions['tenant'], '%41%e4')
  assert.equal(codeOf(headersOf({ 'ce-tenant': '100%' })), 'ce_invalid')
  assert.equal(
    decodeHttp(headersOf({ 'ce-tenant': '100%', 'kn-namespace': 'shop' })).event.extensions['tenant'],
    '100%',
  )
})

test('bytes beyond ASCII stay as Node gives them', () => {
  assert.equal(decodeHttp(headersOf({ 'ce-tenant': 'Zürich' })).event.extensions['tenant'], 'Zürich')
  assert.equal(decodeHttp(headersOf({ 'ce-tenant': utf8('ü') })).event.extensions['tenant'], 'Ã¼')
})

test('ce-datacontenttype stands in for a missing content type, and only then', () => {
  assert.deepEqual(
    decodeHttp(headersOf({ 'content-type': undefined, 'ce-datacontenttype': 'text/plain' }, 'x')).event.data,
    'x',
  )
  assert.equal(decodeHttp(headersOf({ 'ce-datacontenttype': 'text/plain' })).event.datacontenttype, 'application/json')
})

test('a header that Node gives as a list is no attribute', () => {
  const request = headersOf()
  assert.deepEqual(decodeHttp({ ...request, headers: { ...request.headers, 'ce-list': ['a'] } }).event.extensions, {})
})

const source = '/apis/v1/namespaces/shop/kafkasources/s#conversation.inbound'
const raw = (body: string, changed: Record<string, string | undefined> = {}): HttpEventRequest =>
  headersOf(
    {
      'content-type': undefined,
      'ce-type': 'dev.knative.kafka.event',
      'ce-id': 'partition:2/offset:7',
      'ce-source': source,
      ...changed,
    },
    body,
  )
const message = { session_id: 's-1', turn_id: 't-1', message: 'hi' }

test('a raw record becomes an event of the type that its topic is bound to', () => {
  for (const type of [
    undefined,
    'application/json',
    'text/plain',
    'application/octet-stream',
    'application/cloudevents+json',
  ]) {
    const decoded = decodeHttpEvent(raw(JSON.stringify(message), { 'content-type': type }), {
      bind: () => conversationMessageReceived,
    })
    assert.ok(decoded.ok)
    const { event, mode, topic, partition, offset } = decoded
    assert.deepEqual([mode, topic, partition, offset], ['raw', 'conversation.inbound', 2, 7])
    assert.equal(event.type, 'conversation.message.received.v1')
    assert.equal(event.id, 'conversation.inbound/partition:2/offset:7')
    assert.equal(event.datacontenttype, 'application/json')
    assert.deepEqual(event.data, message)
  }
})

const bindResult = (): Binding => toolCallFinished

test('a raw record that does not fit the bound type is not one of its events', () => {
  const bodies = [JSON.stringify(message), '', 'not json', '\u0000\u0001', '{"__proto__":{}}', '[]', 'null']
  for (const body of bodies) assert.equal(codeOf(raw(body), bindResult), 'not_cloudevent', body)
  assert.equal(codeOf({ headers: raw('').headers, body: Buffer.from([0xff, 0xfe]) }, bindResult), 'not_cloudevent')
})

test('a raw record on a topic without a binding, or of an unknown topic, is not a CloudEvent', () => {
  assert.equal(codeOf(raw('{}')), 'not_cloudevent')
  assert.equal(
    codeOf(raw('{}', { 'ce-source': '/elsewhere' }), () => 'any'),
    'not_cloudevent',
  )
})

test('a raw record of specversion 0.3, or without an id and a position, is ce_invalid like any other', () => {
  assert.equal(
    codeOf(raw('{}', { 'ce-specversion': '0.3' }), () => 'any'),
    'ce_invalid',
  )
  assert.equal(
    codeOf(raw('{}', { 'ce-id': '' }), () => 'any'),
    'ce_invalid',
  )
})

const dataOfEmpty = (headers: Record<string, string | undefined>): unknown => {
  const decoded = decodeHttpEvent(raw('', headers), { bind: () => 'any' })
  return decoded.ok ? decoded.event.data : decoded.code
}

test('the empty value of a raw text record is empty text, without content-length it is a tombstone', () => {
  assert.equal(dataOfEmpty({ 'content-type': 'text/plain' }), '')
  assert.deepEqual(dataOfEmpty({}), Buffer.alloc(0))
  assert.equal(dataOfEmpty({ 'content-length': undefined }), undefined)
})
