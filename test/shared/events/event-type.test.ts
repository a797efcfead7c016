import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { conversationMessageReceived, eventTypes, toolCallFinished } from '../../../shared/events/index.ts'

const schemas = new URL('../../../schemas/events/', import.meta.url)

for (const eventType of eventTypes) {
  const folder = new URL(`${eventType.type.replace(/\.v\d+$/, '')}/examples/`, schemas)
  const files = readdirSync(folder)
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))

  test(`${eventType.type} takes its valid examples`, () => {
    const valid = files.filter((file) => file.startsWith('valid-'))
    assert.ok(valid.length > 0)
    for (const file of valid) assert.equal(eventType.explain(read(file)), '', file)
    for (const file of valid) assert.ok(eventType.validate(read(file)), file)
  })

  test(`${eventType.type} refuses its invalid examples and says why`, () => {
    const invalid = files.filter((file) => file.startsWith('invalid-'))
    assert.ok(invalid.length > 0)
    for (const file of invalid) assert.equal(eventType.validate(read(file)), false, file)
    for (const file of invalid) assert.match(eventType.explain(read(file)), /must/, file)
  })

  test(`${eventType.type} refuses a property it does not know`, () => {
    const [file = ''] = files.filter((name) => name.startsWith('valid-'))
    const data = read(file) as object
    assert.equal(eventType.validate({ ...data, is_admin: true }), false)
  })
}

test('the reason names the place and the rule, never a value and no key that the sender chose', () => {
  const data = { session_id: 's', turn_id: 't', message: 'm', metadata: { 'sk-secret key': 7 } }
  const reason = conversationMessageReceived.explain(data)
  assert.equal(reason, 'metadata.* must be string')
  assert.doesNotMatch(toolCallFinished.explain({ session_id: 'sk-secret key' }), /sk-secret/)
})

const messageOf = (length: number) => ({ session_id: 's', turn_id: 't', message: 'é'.repeat(length) })

const sessionOf = (length: number) => ({ session_id: 's'.repeat(length), turn_id: 't', message: 'm' })

test('bounds hold at the limit and one above', () => {
  assert.deepEqual(
    [32_767, 32_768, 32_769].map((length) => conversationMessageReceived.validate(messageOf(length))),
    [true, true, false],
  )
  assert.deepEqual(
    [0, 1, 127, 128, 129].map((length) => conversationMessageReceived.validate(sessionOf(length))),
    [false, true, true, true, false],
  )
})
