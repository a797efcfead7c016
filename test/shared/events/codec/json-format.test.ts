import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromJsonFormat, toJsonFormat } from '../../../../shared/events/index.ts'
import { anyText, eventsWith } from './arbitrary-events.ts'

const envelope = { specversion: '1.0', id: 'e-1', source: '/s', type: 't.v1' }

test('an event that was stored as JSON is the same event', () => {
  fc.assert(
    fc.property(eventsWith(anyText), (event) => {
      const decoded = fromJsonFormat(JSON.parse(JSON.stringify(toJsonFormat(event))))
      assert.ok(decoded.ok, decoded.ok ? '' : decoded.message)
      assert.deepEqual(decoded.event, event)
    }),
    { numRuns: 500 },
  )
})

test('bytes are data_base64, everything else is data, and no data is neither', () => {
  const event = { ...envelope, specversion: '1.0', extensions: { tenant: 'acme' } } as const
  assert.deepEqual(toJsonFormat({ ...event, data: Buffer.from([0, 255]) }), {
    ...envelope,
    tenant: 'acme',
    data_base64: 'AP8=',
  })
  assert.deepEqual(toJsonFormat({ ...event, data: null }), { ...envelope, tenant: 'acme', data: null })
  assert.deepEqual(toJsonFormat({ ...event, data: undefined }), { ...envelope, tenant: 'acme' })
})

test('what is no envelope is ce_invalid, whatever it is', () => {
  for (const value of [
    undefined,
    null,
    5,
    'text',
    [],
    [envelope],
    {},
    { ...envelope, id: '' },
    { ...envelope, id: 7 },
  ]) {
    const decoded = fromJsonFormat(value)
    assert.equal(decoded.ok ? 'ok' : decoded.code, 'ce_invalid')
  }
})

test('integers and booleans among the extensions become their canonical text', () => {
  const decoded = fromJsonFormat({ ...envelope, a: -2_147_483_648, b: 2_147_483_647, c: false })
  assert.deepEqual(decoded.ok && decoded.event.extensions, { a: '-2147483648', b: '2147483647', c: 'false' })
})

const dataOf = (datacontenttype: string, bytes: string): unknown => {
  const decoded = fromJsonFormat({ ...envelope, datacontenttype, data_base64: Buffer.from(bytes).toString('base64') })
  return decoded.ok ? decoded.event.data : decoded.code
}

test('base64 under a content type is what those bytes are in a binary message', () => {
  assert.deepEqual(dataOf('application/json', '{"a":1}'), { a: 1 })
  assert.equal(dataOf('text/plain', 'é'), 'é')
  assert.deepEqual(dataOf('image/png', '{}'), Buffer.from('{}'))
})
