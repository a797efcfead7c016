import { test } from 'node:test'
import assert from 'node:assert/strict'
import { errors } from 'undici'
import { isConnectionFailure, toOutboundError } from '../../../../shared/resilience/outbound/outbound-error.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'

const system = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.1:80`), { code })

const cases: readonly (readonly [error: unknown, code: string, connection: boolean])[] = [
  [system('ECONNREFUSED'), 'dependency_failed', true],
  [system('ECONNRESET'), 'dependency_failed', true],
  [new AggregateError([system('ECONNREFUSED'), system('ECONNREFUSED')]), 'dependency_failed', true],
  [new errors.SocketError('other side closed'), 'dependency_failed', true],
  [new errors.ConnectTimeoutError(), 'dependency_timeout', true],
  [new errors.HeadersTimeoutError(), 'dependency_timeout', false],
  [new errors.BodyTimeoutError(), 'dependency_timeout', false],
  [new errors.HeadersOverflowError(), 'response_too_large', false],
  [new errors.InvalidArgumentError('invalid x header'), 'invalid_request', false],
  [system('ENOTFOUND'), 'dependency_failed', false],
  [new Error('who knows'), 'dependency_failed', false],
  [undefined, 'dependency_failed', false],
]

for (const [error, code, connection] of cases) {
  test(`${String(error)} is ${code}`, () => {
    const mapped = toOutboundError(error, 'thing')
    assert.equal(mapped.code, code)
    assert.equal(isConnectionFailure(mapped), connection)
    assert.doesNotMatch(mapped.message, /10\.0/)
  })
}

test('an aborted request ends with the reason of its signal', () => {
  const reason = new SluiceError('lease_lost', 'gone')
  assert.equal(toOutboundError(new Error('x'), 'thing', AbortSignal.abort(reason)), reason)
  assert.equal(toOutboundError(new Error('x'), 'thing', AbortSignal.abort()).code, 'aborted')
})
