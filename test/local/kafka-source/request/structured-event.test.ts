import assert from 'node:assert/strict'
import { test } from 'node:test'
import { structuredEvent } from '../../../../local/kafka-source/request/structured-event.ts'
import type { DispatchedEvent } from '../../../../local/kafka-source/request/dispatched-event.ts'

const required = '"specversion":"1.0","id":"e","source":"/s","type":"t"'
const of = (members: string, start = required): DispatchedEvent | undefined =>
  structuredEvent(Buffer.from(`{${start}${members === '' ? '' : `,${members}`}}`))
const data = (members: string): string | undefined => of(members)?.data?.toString()

test('JSON data is written anew, and is JSON where nothing else is said', () => {
  assert.equal(data('"data":{ "a" : 1.00 }'), '{"a":1.0}')
  assert.equal(of('"data":null')?.datacontenttype, 'application/json')
  assert.equal(data('"data":null'), 'null')
  assert.equal(data('"datacontenttype":"text/json;charset=utf-8","data":[1]'), '[1]')
  assert.equal(data('"datacontenttype":"application/problem+json","data":"x"'), '"x"')
})

test('for any other content type only text is data', () => {
  assert.equal(data('"datacontenttype":"text/plain","data":"hello"'), 'hello')
  assert.equal(data('"datacontenttype":"application/JSON","data":"x"'), 'x')
  assert.equal(of('"datacontenttype":"application/vnd.api+json","data":{}'), undefined)
  assert.equal(of('"datacontenttype":"text/plain","data":null'), undefined)
})

test('base64 is decoded, padded and in the usual alphabet only, and not beside data', () => {
  assert.deepEqual(of('"data_base64":"AAEC/w=="')?.data, Buffer.from([0, 1, 2, 255]))
  assert.equal(of('"data_base64":"AAEC/w=="')?.datacontenttype, undefined)
  for (const wrong of [
    '"data_base64":"AAEC/w"',
    '"data_base64":"AAEC_w=="',
    '"data_base64":1',
    '"data":{},"data_base64":""',
  ])
    assert.equal(of(wrong), undefined, wrong)
})

test('no data is no body', () => {
  assert.equal(of('')?.data, null)
  assert.equal(of('')?.datacontenttype, undefined)
})

test('extensions have the text of their value; of numbers only integers of 32 bits are allowed', () => {
  const extensions = of('"a":5,"b":true,"c":{"x":1.0},"d":[1,"é"],"e":null,"":"nameless","f":-0')?.extensions
  assert.deepEqual(Object.fromEntries(extensions ?? []), {
    a: '5',
    b: 'true',
    c: '{"x":1.0}',
    d: '[1,"é"]',
    e: 'null',
    '': 'nameless',
    f: '0',
  })
  for (const wrong of ['"a":1.5', '"a":1.0', '"a":2147483648', '"my_ext":"x"', '"Ext":"x"'])
    assert.equal(of(wrong), undefined, wrong)
})

test('attributes are text; null is as good as absent', () => {
  assert.equal(of('"subject":null')?.subject, undefined)
  for (const wrong of ['"subject":5', '"time":"2026-09-01T10:00:00"', '"dataschema":"a b"'])
    assert.equal(of(wrong), undefined, wrong)
  assert.equal(of('', '"specversion":"1.0","id":null,"source":"/s","type":"t"'), undefined)
  assert.equal(of('', '"specversion":"2.0","id":"e","source":"/s","type":"t"'), undefined)
})

test('version 0.3 says in datacontentencoding that data is base64, and calls the schema schemaurl', () => {
  const old = '"specversion":"0.3","id":"e","source":"/s","type":"t"'
  const event = of('"datacontentencoding":"base64","data":"aGk=","schemaurl":"/x","dataschema":"an extension"', old)
  assert.equal(event?.data?.toString(), 'hi')
  assert.equal(event.dataschema, '/x')
  assert.deepEqual([...event.extensions], [['dataschema', 'an extension']])
})
