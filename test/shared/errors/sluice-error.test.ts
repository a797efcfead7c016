import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectedError, RetryLaterError, SluiceError } from '../../../shared/errors/index.ts'

test('status and retryability follow from the code', () => {
  const error = new SluiceError('draining', 'going away')
  assert.deepEqual([error.status, error.retryable], [503, true])
})

test('the cause is attached, and absent when there is none', () => {
  const cause = new Error('below')
  assert.equal(new SluiceError('internal', 'above', { cause }).cause, cause)
  assert.equal('cause' in new SluiceError('internal', 'above'), false)
})

test('a handler says when to come again, or that the event can never succeed', () => {
  const later = new RetryLaterError({ afterMs: 500, reason: 'busy' })
  assert.deepEqual([later.code, later.retryAfterMs, later.retryable], ['retry_later', 500, true])
  const rejected = new RejectedError({ reason: 'no such thing' })
  assert.deepEqual([rejected.code, rejected.message, rejected.retryable], ['rejected', 'no such thing', false])
  assert.equal(new RejectedError({ code: 'data_invalid', reason: 'x' }).code, 'data_invalid')
})
