import { test } from 'node:test'
import assert from 'node:assert/strict'
import { eventLimits } from '../../../../shared/events/index.ts'
import {
  attributesOf,
  createDraft,
  faultOf,
  setAttribute,
  toEvent,
} from '../../../../shared/events/codec/attributes.ts'

const required = { specversion: '1.0', id: 'e-1', source: '/s', type: 't.v1' }

function draftOf(attributes: Record<string, string>) {
  const draft = createDraft()
  for (const [name, value] of Object.entries(attributes)) setAttribute(draft, name, value)
  return draft
}
const fault = (changed: Record<string, string>): string | undefined => faultOf(draftOf({ ...required, ...changed }))

test('the required attributes must be there, not empty, and of version 1.0', () => {
  assert.equal(fault({}), undefined)
  for (const version of ['', '0.3', '2.0', '1', '1.0, 1.0'])
    assert.match(fault({ specversion: version }) ?? '', /specversion/)
  for (const name of ['id', 'source', 'type']) {
    assert.match(fault({ [name]: '' }) ?? '', new RegExp(`^${name} is missing or empty`))
    const { [name]: _, ...others } = required as Record<string, string>
    assert.match(faultOf(draftOf(others)) ?? '', new RegExp(`^${name} is missing or empty`))
  }
  assert.match(faultOf(createDraft()) ?? '', /specversion/)
})

test('id, source and type are limited in UTF-8 bytes: 1,023 and 1,024 pass, 1,025 do not', () => {
  assert.equal(eventLimits.identifierBytes, 1_024)
  for (const name of ['id', 'source', 'type']) {
    assert.deepEqual(
      [1_023, 1_024, 1_025].map((length) => fault({ [name]: 'x'.repeat(length) }) === undefined),
      [true, true, false],
    )
    assert.deepEqual(
      [511, 512, 513].map((length) => fault({ [name]: 'é'.repeat(length) }) === undefined),
      [true, true, false],
    )
  }
})

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, '']))

test('extensions are limited: 99 and 100 pass, 101 do not; naming one twice counts once', () => {
  assert.equal(eventLimits.extensions, 100)
  assert.deepEqual(
    [99, 100, 101].map((count) => fault(many(count)) === undefined),
    [true, true, false],
  )
  const draft = draftOf({ ...required, ...many(100) })
  setAttribute(draft, 'x0', 'again')
  assert.equal(faultOf(draft), undefined)
  assert.equal(draft.extensions['x0'], 'again')
})

test('names of extensions are limited: 127 and 128 characters pass, 129 do not', () => {
  assert.equal(eventLimits.extensionNameLength, 128)
  assert.deepEqual(
    [127, 128, 129].map((length) => fault({ ['x'.repeat(length)]: '' }) === undefined),
    [true, true, false],
  )
})

test('names outside [a-z0-9], and data, are refused', () => {
  for (const name of ['Tenant', 'x-y', 'x_y', 'x y', '', 'é', '__proto__', 'data', 'data_base64', 'x\n']) {
    const draft = draftOf(required)
    setAttribute(draft, name, 'v')
    assert.notEqual(faultOf(draft), undefined, name)
  }
  for (const name of ['constructor', 'tostring', '0', 'a'.repeat(40)]) assert.equal(fault({ [name]: 'v' }), undefined)
})

test('all attributes together are limited: 49,151 and 49,152 characters pass, 49,153 do not', () => {
  const { length } = draftOf({ ...required, x: '' })
  assert.equal(eventLimits.attributeLength, 49_152)
  assert.deepEqual(
    [49_151, 49_152, 49_153].map((total) => fault({ x: 'y'.repeat(total - length) }) === undefined),
    [true, true, false],
  )
})

test('control characters are refused in every attribute, a tab is not', () => {
  for (const name of ['id', 'source', 'type', 'subject', 'dataschema', 'tenant']) {
    for (const character of ['\0', '\u0001', '\n', '\r', '\r\n', '\u001b[31m', '\u007f'])
      assert.notEqual(fault({ [name]: `a${character}b` }), undefined)
    assert.equal(fault({ [name]: 'a\tb\u0085é日' }), undefined)
  }
})

test('a time that is no timestamp is refused', () => {
  assert.equal(fault({ time: '2026-09-01T10:15:30Z' }), undefined)
  for (const time of ['2026-09-01T10:15:30', '', 'yesterday']) assert.match(fault({ time }) ?? '', /^time/)
})

test('a fault never repeats the value', () => {
  for (const name of ['id', 'specversion', 'time', 'tenant', 'bad-name'])
    assert.doesNotMatch(fault({ [name]: 'sk-secret\n'.repeat(200) }) ?? '', /sk-secret/)
})

test('optional attributes that came empty are left out of the event', () => {
  const event = toEvent(draftOf({ ...required, subject: '', dataschema: '', datacontenttype: '', x: '' }), undefined)
  assert.deepEqual(event, { ...required, data: undefined, extensions: { x: '' } })
})

const namesOf = (attributes: Record<string, string>) =>
  [...attributesOf(toEvent(draftOf(attributes), 1))].map(([name]) => name)

test('attributes are listed in one order, whatever the order they came in', () => {
  const attributes = { ...required, time: '2026-09-01T10:15:30Z', subject: 's', b: '1', a: '2' }
  const reversed = Object.fromEntries(Object.entries(attributes).toReversed())
  assert.deepEqual(namesOf(attributes), ['specversion', 'id', 'source', 'type', 'subject', 'time', 'a', 'b'])
  assert.deepEqual(namesOf(reversed), namesOf(attributes))
})
