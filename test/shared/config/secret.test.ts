import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { pii, secret } from '../../../shared/config/index.ts'

const value = 'hunter2-canary'

const leaks: Readonly<Record<string, (handle: ReturnType<typeof secret<string>>) => string>> = {
  'a template string': (handle) => `${handle.toString()}${[handle].join()}`,
  concatenation: (handle) => 'x' + String(handle),
  JSON: (handle) => JSON.stringify({ handle, list: [handle] }),
  inspect: (handle) => inspect({ handle }, { depth: 10, showHidden: true }),
  'its keys and values': (handle) =>
    JSON.stringify([Reflect.ownKeys(handle).map(String), Object.entries(handle).map(String)]),
  'an error message': (handle) => new Error(`failed with ${String(handle)}`).message,
  'a spread copy': (handle) => JSON.stringify({ ...handle }) + inspect({ ...handle }),
}

for (const [where, render] of Object.entries(leaks)) {
  test(`a secret does not show in ${where}`, () => {
    assert.equal(render(secret(value)).includes(value), false)
  })
}

test('a clone of a handle is refused rather than opened', () => {
  assert.throws(() => structuredClone(secret(value)))
})

test('only reveal gives the value, and the two kinds print as what they are', () => {
  assert.equal(secret(value).reveal(), value)
  assert.equal(pii(value).reveal(), value)
  assert.equal([secret(value), pii(value)].join(' '), '[secret] [pii]')
})
