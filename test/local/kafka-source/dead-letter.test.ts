import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetterOf } from '../../../local/kafka-source/dead-letter.ts'
import type { DispatchedEvent } from '../../../local/kafka-source/request/index.ts'
import type { SinkAnswer } from '../../../local/kafka-source/index.ts'

const event: DispatchedEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/orders',
  type: 'order.placed',
  extensions: new Map([['tenant', 'acme']]),
  data: Buffer.from('{}'),
}
const answer = (headers: SinkAnswer['headers'], body = ''): SinkAnswer => ({
  kind: 'answer',
  status: 422,
  headers,
  body: Buffer.from(body),
})

function letter(outcome: Parameters<typeof deadLetterOf>[2], of: DispatchedEvent = event): DispatchedEvent {
  const made = deadLetterOf(of, 'http://sink/', outcome)
  assert.ok(made.kind === 'event')
  return made.event
}

const facts = (outcome: Parameters<typeof deadLetterOf>[2]): Record<string, string> =>
  Object.fromEntries([...letter(outcome).extensions].filter(([name]) => name !== 'tenant'))

test('without an answer only the destination is known', () => {
  assert.deepEqual(facts({ kind: 'broken', reason: 'reset' }), { knativeerrordest: 'http://sink/' })
})

test('an answer adds its status, its kne- headers and at most 1024 bytes of its body', () => {
  const got = facts(
    answer(
      [
        ['Kne-Reason', 'first'],
        ['kne-reason', 'second'],
        ['x-other', 'no'],
      ],
      'b'.repeat(2_000),
    ),
  )
  assert.deepEqual(got, {
    knativeerrordest: 'http://sink/',
    knativeerrorcode: '422',
    reason: 'second',
    knativeerrordata: Buffer.from('b'.repeat(1_024)).toString('base64'),
  })
})

test('a kne- header overwrites any fact but the copy of the body', () => {
  const forged = [
    ['kne-knativeerrorcode', '1'],
    ['kne-knativeerrordata', 'x'],
    ['kne-tenant', 'evil'],
  ] as const
  assert.equal(letter(answer(forged, 'boom')).extensions.get('knativeerrordata'), 'Ym9vbQ==')
  assert.equal(letter(answer(forged)).extensions.get('knativeerrordata'), 'x')
  assert.equal(letter(answer(forged)).extensions.get('knativeerrorcode'), '1')
  assert.equal(letter(answer(forged)).extensions.get('tenant'), 'evil')
})

test('a name with anything but a-z and 0-9 jams the record', () => {
  for (const name of ['kne-error-code', 'kne-error_code', 'kne-é'])
    assert.equal(deadLetterOf(event, 'http://sink/', answer([[name, 'x']])).kind, 'jammed', name)
})

test('spec version 0.3 becomes 1.0', () => {
  const old: DispatchedEvent = { ...event, specversion: '0.3', dataschema: 'https://example.com/s' }
  const { specversion, dataschema } = letter(answer([]), old)
  assert.deepEqual({ specversion, dataschema }, { specversion: '1.0', dataschema: 'https://example.com/s' })
})

test('an extension that ceOverrides named like an attribute becomes that attribute', () => {
  const overridden = { ...event, extensions: new Map([['id', 'other']]) }
  const rebuilt = letter(answer([]), overridden)
  assert.equal(rebuilt.id, 'other')
  assert.equal(rebuilt.extensions.has('id'), false)
})
