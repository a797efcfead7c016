import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodes, isErrorCode } from '../../../shared/errors/index.ts'

const entries = Object.entries(errorCodes)

test('a KafkaSource tries again exactly when the code is retryable, wherever a 4xx is answered', () => {
  const retried = new Set([404, 408, 409, 429])
  const lost = entries.filter(
    ([, { status, retryable }]) => retryable && status >= 400 && status < 500 && !retried.has(status),
  )
  assert.deepEqual(lost, [])
})

test('every code is a lower-case name with a title of its own', () => {
  assert.ok(entries.every(([code]) => /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(code)))
  assert.equal(new Set(entries.map(([, { title }]) => title)).size, entries.length)
})

test('only names of the list are codes', () => {
  assert.equal(isErrorCode('draining'), true)
  for (const other of ['toString', '__proto__', '', undefined, 5]) assert.equal(isErrorCode(other), false)
})
