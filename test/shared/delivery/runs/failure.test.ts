import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeFailure } from '../../../../shared/delivery/runs/failure.ts'
import { RejectedError, RetryLaterError, SluiceError, type ErrorCode } from '../../../../shared/errors/index.ts'
import { contractOf } from '../workbench.ts'

const contract = contractOf('transaction', {
  delivery: { attempts: 3, backoff: { firstMs: 100, maxMs: 1_000 }, timeoutMs: 1_000 },
})
const judge = (error: unknown, attempt = 1) => judgeFailure({ error, attempt }, contract, { random: () => 0.5 })
const sqlError = (code: string): Error => Object.assign(new Error('sql'), { code, severity: 'ERROR' })

test('an unknown error is retried after half of a doubling ceiling, until the attempts are spent', () => {
  assert.deepEqual(
    [1, 2, 3].map((attempt) => judge(new Error('x'), attempt)),
    [
      { kind: 'retry', code: 'handler_failed', message: 'x', delayMs: 50 },
      { kind: 'retry', code: 'handler_failed', message: 'x', delayMs: 100 },
      { kind: 'dead', code: 'handler_failed', message: 'x' },
    ],
  )
})

test('an error that says when to come again is believed, up to a day', () => {
  const later = (afterMs: number) => judge(new RetryLaterError({ afterMs, reason: 'busy' }))
  assert.deepEqual(later(7_000), { kind: 'retry', code: 'retry_later', message: 'busy', delayMs: 7_000 })
  assert.deepEqual(
    [0, -5, 86_400_000, 86_400_001].map((ms) => (later(ms) as { delayMs: number }).delayMs),
    [0, 0, 86_400_000, 86_400_000],
  )
})

test('what nobody can cure by waiting is dead at once', () => {
  const kinds = [new RejectedError({ reason: 'no' }), new SluiceError('data_invalid', 'no'), sqlError('22P05')].map(
    (error) => judge(error).kind,
  )
  assert.deepEqual(kinds, ['dead', 'dead', 'dead'])
})

test('an event whose attempts are spent is held where the contract says so; a rejected one is dead all the same', () => {
  const holding = contractOf('transaction', { delivery: { ...contract.delivery, onExhausted: 'hold' } })
  const kindOf = (error: unknown, attempt: number) =>
    judgeFailure({ error, attempt }, holding, { random: () => 0.5 }).kind
  assert.deepEqual(
    [2, 3].map((attempt) => kindOf(new Error('x'), attempt)),
    ['retry', 'hold'],
  )
  assert.equal(kindOf(new SluiceError('attempts_exhausted', 'it died'), 3), 'hold')
  assert.equal(judge(new SluiceError('attempts_exhausted', 'it died'), 3).kind, 'dead')
  assert.equal(kindOf(new RejectedError({ reason: 'no' }), 1), 'dead')
})

test('an open breaker is never the fault of the event, nor is a probe that opened it again', () => {
  const open = new SluiceError('circuit_open', 'open', { retryAfterMs: 7_000 })
  assert.deepEqual(judge(open, 99), { kind: 'wait', code: 'circuit_open', message: 'open', delayMs: 7_000 })
  const innocent = (error: unknown) =>
    judgeFailure({ error, attempt: 99, innocent: true }, contract, { random: () => 0.5 }).kind
  assert.equal(innocent(new SluiceError('model_unavailable', 'away')), 'wait')
  assert.equal(innocent(new RejectedError({ reason: 'no' })), 'dead')
})

test('a lost database and a lost lease are never the fault of the event, however many attempts it had', () => {
  const code = (error: unknown): [string, ErrorCode] => {
    const failure = judge(error, 99)
    return [failure.kind, failure.code]
  }
  assert.deepEqual(code(new SluiceError('database_unavailable', 'gone')), ['lost', 'database_unavailable'])
  assert.deepEqual(code(sqlError('57P01')), ['lost', 'database_unavailable'])
  assert.deepEqual(code(new SluiceError('lease_lost', 'other')), ['superseded', 'lease_lost'])
})
