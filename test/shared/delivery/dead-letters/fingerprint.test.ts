import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintOf } from '../../../../shared/delivery/dead-letters/fingerprint.ts'

const errorAt = (stack: string): Error => Object.assign(new Error('value 1'), { stack })

test('failures of the same kind have the same fingerprint, whatever value, line and folder', () => {
  const one = errorAt(
    'Error: value 1\n    at lookUp (file:///app/functions/f/handler.ts:10:5)\n    at async run (file:///app/shared/delivery/run.ts:3:1)',
  )
  const two = errorAt(
    'Error: value 2\n    at lookUp (file:///srv/v2/functions/f/handler.ts:99:1)\n    at async run (file:///srv/v2/shared/delivery/run.ts:4:1)',
  )
  assert.equal(fingerprintOf('handler_failed', one), fingerprintOf('handler_failed', two))
  assert.match(fingerprintOf('handler_failed', one), /^[0-9a-f]{16}$/)
})

test('another code, another function or another kind of error is another fingerprint', () => {
  const stack = 'Error\n    at lookUp (file:///app/handler.ts:10:5)'
  const prints = [
    fingerprintOf('handler_failed', errorAt(stack)),
    fingerprintOf('rejected', errorAt(stack)),
    fingerprintOf('handler_failed', errorAt(stack.replace('lookUp', 'store'))),
    fingerprintOf('handler_failed', Object.assign(errorAt(stack), { name: 'TypeError' })),
    fingerprintOf('handler_failed'),
  ]
  assert.equal(new Set(prints).size, prints.length)
})

test('any thrown value has one', () => {
  for (const thrown of [undefined, null, 'text', 7, {}, Object.assign(new Error('x'), { stack: 1 })])
    assert.match(fingerprintOf('handler_failed', thrown), /^[0-9a-f]{16}$/)
})
