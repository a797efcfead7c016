import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyError, messageOf, RejectedError, RetryLaterError, SluiceError } from '../../../shared/errors/index.ts'

const postgres = (code: string) => Object.assign(new Error(`sql ${code}`), { code, severity: 'ERROR' })
const system = (code: string) => Object.assign(new Error(code), { code })

const table: readonly (readonly [what: string, error: unknown, kind: string, code: string])[] = [
  ['a rejection by the handler', new RejectedError({ reason: 'no' }), 'reject', 'rejected'],
  ['a rejection with a retryable code', new RejectedError({ code: 'draining', reason: 'no' }), 'reject', 'draining'],
  ['a wish for a later try', new RetryLaterError({ afterMs: 5, reason: 'busy' }), 'retry', 'retry_later'],
  ['a retryable code', new SluiceError('model_timeout', 'slow'), 'retry', 'model_timeout'],
  ['a final code', new SluiceError('model_auth', 'key'), 'reject', 'model_auth'],
  ['a lost database', new SluiceError('database_unavailable', 'gone'), 'database-lost', 'database_unavailable'],
  ['a broken connection', postgres('08006'), 'database-lost', 'database_unavailable'],
  ['an admin shutdown', postgres('57P01'), 'database-lost', 'database_unavailable'],
  ['a full disk', postgres('53100'), 'database-lost', 'database_unavailable'],
  ['a value Postgres refuses', postgres('22P05'), 'reject', 'database_rejected'],
  ['a key too long for a btree', postgres('54000'), 'reject', 'database_rejected'],
  ['a lock timeout', postgres('55P03'), 'retry', 'handler_failed'],
  ['a serialization failure', postgres('40001'), 'retry', 'handler_failed'],
  ['a unique violation', postgres('23505'), 'retry', 'handler_failed'],
  ['a refused connection', system('ECONNREFUSED'), 'retry', 'dependency_failed'],
  ['another system error', system('EACCES'), 'retry', 'handler_failed'],
  ['an abort', new DOMException('stop', 'AbortError'), 'retry', 'aborted'],
  ['a timeout', new DOMException('late', 'TimeoutError'), 'retry', 'aborted'],
  ['a plain error', new Error('oops'), 'retry', 'handler_failed'],
  ['a string', 'oops', 'retry', 'handler_failed'],
  ['undefined', undefined, 'retry', 'handler_failed'],
  ['null', null, 'retry', 'handler_failed'],
  ['a symbol', Symbol('x'), 'retry', 'handler_failed'],
]

for (const [what, error, kind, code] of table) {
  test(`${what} means ${kind} with ${code}`, () => {
    const verdict = classifyError(error)
    assert.deepEqual([verdict.kind, verdict.code], [kind, code])
  })
}

test('the wished delay travels with the verdict', () => {
  const verdict = classifyError(new RetryLaterError({ afterMs: 5, reason: 'busy' }))
  assert.ok(verdict.kind === 'retry')
  assert.equal(verdict.afterMs, 5)
})

test('any thrown value has a text, even one that throws when asked', () => {
  const hostile = {
    toString() {
      throw new Error('no')
    },
  }
  assert.equal(messageOf(hostile), 'thrown: a value without a text')
  assert.equal(messageOf(new Error('')), 'Error')
  assert.equal(messageOf(Object.assign(new Error('x'), { message: undefined })), 'undefined') // as careless code makes them
  assert.equal(messageOf(undefined), 'thrown: undefined')
  assert.equal(messageOf('as it is'), 'as it is')
  assert.equal(messageOf(Symbol('x')), 'thrown: Symbol(x)')
})
