import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeModelFailure, type FailureContext } from '../../../functions/conversation-worker/model-failure.ts'
import { SluiceError } from '../../../shared/errors/index.ts'

const context: FailureContext = {
  attempt: 1,
  attempts: 8,
  backoff: { firstMs: 200, maxMs: 10_000 },
  remainingMs: 60_000,
  random: () => 0.5,
}

test('a failure that may pass is tried again after a jittered back-off', () => {
  const error = new SluiceError('model_unavailable', '500')
  assert.deepEqual(judgeModelFailure(error, context), { kind: 'retry', afterMs: 100, reason: 'model_unavailable' })
  assert.deepEqual(judgeModelFailure(error, { ...context, attempt: 3 }), {
    kind: 'retry',
    afterMs: 400,
    reason: 'model_unavailable',
  })
})

test('what the model says about when to come again is obeyed', () => {
  const error = new SluiceError('model_rate_limited', '429', { retryAfterMs: 7_000 })
  assert.deepEqual(judgeModelFailure(error, context), { kind: 'retry', afterMs: 7_000, reason: 'model_rate_limited' })
})

test('a pause that reaches over the deadline ends the turn at once, with the model’s own reason', () => {
  const error = new SluiceError('model_rate_limited', '429', { retryAfterMs: 59_500 })
  assert.deepEqual(judgeModelFailure(error, context), { kind: 'fail', reason: 'model_rate_limited' })
})

test('the last attempt ends the turn', () => {
  const error = new SluiceError('model_cut', 'cut')
  assert.equal(judgeModelFailure(error, { ...context, attempt: 7 }).kind, 'retry')
  assert.deepEqual(judgeModelFailure(error, { ...context, attempt: 8 }), { kind: 'fail', reason: 'model_cut' })
})

test('an open breaker is waited for whatever the attempt, until the turn’s time is over', () => {
  const error = new SluiceError('circuit_open', 'open', { retryAfterMs: 5_000 })
  assert.deepEqual(judgeModelFailure(error, { ...context, attempt: 8 }), { kind: 'wait', reason: 'model_unavailable' })
  const late = { ...context, remainingMs: 5_900 }
  assert.deepEqual(judgeModelFailure(error, late), { kind: 'fail', reason: 'model_unavailable' })
})

for (const code of ['model_context_too_long', 'model_auth', 'model_bad_request'] as const) {
  test(`${code} does not pass by waiting`, () => {
    assert.deepEqual(judgeModelFailure(new SluiceError(code, 'no'), context), { kind: 'fail', reason: code })
  })
}

test('errors that are not the model’s own have a reason of the closed list as well', () => {
  const reasons = (['circuit_open', 'overloaded', 'response_too_large', 'internal'] as const).map(
    (code) => judgeModelFailure(new SluiceError(code, 'x'), context).reason,
  )
  assert.deepEqual(reasons, ['model_unavailable', 'model_overloaded', 'model_malformed', 'internal'])
  assert.equal(judgeModelFailure(new TypeError('x is undefined'), context).reason, 'internal')
})
