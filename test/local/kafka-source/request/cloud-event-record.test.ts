import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudEventOf } from '../../../../local/kafka-source/request/cloud-event-record.ts'
import type { DispatchedEvent } from '../../../../local/kafka-source/request/dispatched-event.ts'

type Headers = readonly (readonly [string, string | null])[]

const required: Headers = [
  ['ce_specversion', '1.0'],
  ['ce_id', 'e'],
  ['ce_source', '/s'],
  ['ce_type', 't'],
]

const of = (headers: Headers, value: string | null = '{}'): DispatchedEvent | undefined =>
  cloudEventOf({
    topic: 'orders',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: null,
    headers: headers.map(([name, text]) => [name, text === null ? null : Buffer.from(text)] as const),
    value: value === null ? null : Buffer.from(value),
  })

test('ce_ headers are attributes in any case of what follows the prefix, the last of equal ones counts', () => {
  const event = of([
    ...required,
    ['ce_TENANT', 'a'],
    ['ce_tenant', 'b'],
    ['ce_SpecVersion', '9'],
    ['x-other', 'c'],
    ['ce_', 'd'],
  ])
  assert.deepEqual([...(event?.extensions ?? [])], [['tenant', 'b']])
})

test('content-type and ce_datacontenttype are one attribute', () => {
  assert.equal(of([...required, ['content-type', 'a/b'], ['ce_datacontenttype', 'c/d']])?.datacontenttype, 'c/d')
  assert.equal(of([...required, ['Content-Type', 'a/b']])?.datacontenttype, undefined)
})

test('an envelope is recognised by the exact content type up to the semicolon', () => {
  const envelope = '{"specversion":"1.0","id":"enveloped","source":"/s","type":"t"}'
  const id = (contentType: string): string | undefined => of([...required, ['content-type', contentType]], envelope)?.id
  assert.equal(id('application/cloudevents+json'), 'enveloped')
  assert.equal(id('application/cloudevents+json; charset=utf-8'), 'enveloped')
  assert.equal(id('application/cloudevents+json ; charset=utf-8'), 'e')
  assert.equal(id('Application/CloudEvents+JSON'), 'e')
})

test('a missing or unknown version, an illegal name, a wrong time: no CloudEvent', () => {
  const wrong: readonly Headers[] = [
    required.slice(1),
    [['ce_specversion', '2.0'], ...required.slice(1)],
    [...required, ['ce_my-ext', 'x']],
    [...required, ['ce_time', 'today']],
    [...required, ['ce_dataschema', 'a b']],
    required.slice(0, 3),
  ]
  for (const headers of wrong) assert.equal(of(headers), undefined, JSON.stringify(headers))
})

test('a null extension is skipped; a null version or content type is no CloudEvent', () => {
  assert.equal(of([...required, ['ce_tenant', null]])?.extensions.size, 0)
  assert.equal(of([...required, ['ce_specversion', null]]), undefined)
  assert.equal(of([...required, ['content-type', null]]), undefined)
})

test('an empty value is no data', () => {
  assert.equal(of(required, '')?.data, null)
  assert.equal(of(required, null)?.data, null)
})
