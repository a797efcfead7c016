import { test } from 'node:test'
import assert from 'node:assert/strict'
import { decodeContent, encodeContent, keepsContent } from '../../../../shared/events/codec/content.ts'

const decode = (contentType: string | undefined, text: string | Buffer): unknown => {
  const content = decodeContent(contentType, Buffer.from(text))
  return content.ok ? content.data : content.code
}

test('JSON types give the value, text types the text, all others the bytes', () => {
  for (const type of [
    'application/json',
    'APPLICATION/JSON; charset="UTF-8"',
    'text/json',
    'application/vnd.api+json',
    'application/json;charset=us-ascii',
  ]) {
    assert.deepEqual(decode(type, '{"a":1}'), { a: 1 }, type)
  }
  for (const type of ['text/plain', 'text/csv; header=present', 'application/xml', 'image/svg+xml'])
    assert.equal(decode(type, 'é<1>'), 'é<1>', type)
  for (const type of ['application/octet-stream', 'image/png', 'text/plain; charset=iso-8859-1', 'nonsense']) {
    assert.deepEqual(decode(type, Buffer.from([0, 255])), Buffer.from([0, 255]), type)
  }
})

test('without a content type it is JSON when it parses, else bytes', () => {
  for (const type of [undefined, '', ' ']) {
    assert.deepEqual(decode(type, '{"a":1}'), { a: 1 })
    assert.deepEqual(decode(type, 'plain'), Buffer.from('plain'))
    assert.deepEqual(decode(type, Buffer.from([0xff])), Buffer.from([0xff]))
  }
})

test('without a content type the limits of JSON still hold', () => {
  assert.equal(decode(undefined, '{"a":1,"a":2}'), 'duplicate_key')
  assert.equal(decode(undefined, '{"__proto__":{}}'), 'forbidden_key')
})

test('no bytes are no data, whatever the type', () => {
  for (const type of [undefined, 'application/json', 'text/plain', 'image/png'])
    assert.equal(decode(type, ''), undefined)
})

test('data that is not what its type says has a code', () => {
  assert.equal(decode('application/json', 'hello'), 'data_invalid')
  assert.equal(decode('application/json', Buffer.from([0x22, 0xff, 0x22])), 'invalid_encoding')
  assert.equal(decode('application/json; charset=utf-16', '{}'), 'unsupported_media_type')
  assert.equal(decode('text/plain', Buffer.from([0xff])), 'invalid_encoding')
  assert.equal(decode('text/plain', 'a\0b'), 'invalid_character')
})

test('what keepsContent promises comes back from its bytes', () => {
  const kept = [
    { data: { a: [1, null] }, datacontenttype: 'application/json' },
    { data: 'text', datacontenttype: 'application/json' },
    { data: '', datacontenttype: 'application/json' },
    { data: null, datacontenttype: 'application/json' },
    { data: 'text', datacontenttype: 'text/plain' },
    { data: Buffer.from([1]), datacontenttype: 'image/png' },
    { data: undefined, datacontenttype: 'text/plain' },
  ]
  for (const event of kept) {
    assert.ok(keepsContent(event))
    assert.deepEqual(decode(event.datacontenttype, encodeContent(event)), event.data)
  }
})

test('what bytes and type alone cannot carry is known', () => {
  const lost = [
    { data: { a: 1 } },
    { data: { a: 1 }, datacontenttype: 'text/plain' },
    { data: '', datacontenttype: 'text/plain' },
    { data: 'text', datacontenttype: 'image/png' },
    { data: Buffer.from('{}'), datacontenttype: 'application/json' },
    { data: Buffer.alloc(0), datacontenttype: 'image/png' },
  ]
  for (const event of lost) assert.equal(keepsContent(event), false)
})
