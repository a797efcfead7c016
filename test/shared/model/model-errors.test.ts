import { test } from 'node:test'
import assert from 'node:assert/strict'
import { refusalError } from '../../../shared/model/model-errors.ts'
import type { ErrorCode } from '../../../shared/errors/index.ts'
import { done, sse, startModel, stream, text } from './misbehaving-model.ts'

const now = Date.UTC(2025, 10, 25, 8)

const cases: readonly (readonly [status: number | undefined, error: unknown, code: ErrorCode])[] = [
  [429, { code: 'rate_limit_exceeded' }, 'model_rate_limited'],
  [429, 'slow down', 'model_rate_limited'],
  [429, { code: 'insufficient_quota', type: 'insufficient_quota' }, 'model_auth'],
  [503, '', 'model_overloaded'],
  [529, { type: 'overloaded_error' }, 'model_overloaded'],
  [500, { message: 'boom' }, 'model_unavailable'],
  [502, '<html>', 'model_unavailable'],
  [504, '', 'model_timeout'],
  [408, '', 'model_timeout'],
  [401, { code: 'invalid_api_key' }, 'model_auth'],
  [403, '', 'model_auth'],
  [400, { message: 'unknown parameter' }, 'model_bad_request'],
  [404, { message: 'The model `x` does not exist', code: 'model_not_found' }, 'model_bad_request'],
  [302, '', 'model_bad_request'],
  [422, '', 'model_bad_request'],
  [400, { code: 'context_length_exceeded' }, 'model_context_too_long'],
  [
    400,
    { message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens." },
    'model_context_too_long',
  ],
  [400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }, 'model_context_too_long'],
  [
    400,
    { message: 'the request exceeds the available context size', type: 'exceed_context_size_error' },
    'model_context_too_long',
  ],
  [400, 'Input token count exceeds the maximum number of tokens allowed', 'model_context_too_long'],
  [422, { message: 'Please reduce the length of the messages' }, 'model_context_too_long'],
  [413, { message: 'Request too large' }, 'model_context_too_long'],
  [429, { message: 'too many tokens per minute' }, 'model_rate_limited'],
  [undefined, { code: 429, message: 'x' }, 'model_rate_limited'],
  [undefined, { code: 502 }, 'model_unavailable'],
  [undefined, { type: 'overloaded_error' }, 'model_overloaded'],
  [undefined, { type: 'invalid_request_error' }, 'model_bad_request'],
  [undefined, { code: 'context_length_exceeded' }, 'model_context_too_long'],
  [undefined, 'internal error', 'model_unavailable'],
]

for (const [status, error, code] of cases) {
  test(`${status ?? 'within a stream'} ${JSON.stringify(error).slice(0, 90)} is ${code}`, () => {
    assert.equal(refusalError({ ...(status === undefined ? {} : { status }), error }, now).code, code)
  })
}

const after = (headers: Record<string, string>) => refusalError({ status: 429, headers, error: '' }, now).retryAfterMs

test('Retry-After is read in seconds, as a date and in milliseconds', () => {
  assert.equal(after({ 'retry-after': '7' }), 7_000)
  assert.equal(after({ 'retry-after': 'Tue, 25 Nov 2025 08:00:30 GMT' }), 30_000)
  assert.equal(after({ 'retry-after': '1', 'retry-after-ms': '1500.5' }), 1_501)
  assert.equal(after({ 'retry-after': 'soon' }), undefined)
  assert.equal(after({}), undefined)
})

test('a refusal over HTTP carries its pause', async (t) => {
  const model = await startModel(t, (response) => response.writeHead(503, { 'retry-after': '3' }).end())
  await assert.rejects(model.ask(), { code: 'model_overloaded', retryAfterMs: 3_000 })
})

test('the prose of a refusal, which may repeat the input, stays out of the message', () => {
  const { message } = refusalError(
    { status: 400, error: { message: 'bad: my secret diary', code: 'my secret diary' } },
    now,
  )
  assert.doesNotMatch(message, /diary/)
  assert.match(message, /400/)
})

test('an error within a stream that had begun ends the call with its meaning', async (t) => {
  const model = await startModel(t, (response) =>
    stream(response).end(text('half') + sse({ error: { message: 'busy', type: 'overloaded_error' } }) + done),
  )
  await assert.rejects(model.ask(), { code: 'model_overloaded' })
})

test('a body of refusal without end is not read for ever', async (t) => {
  const model = await startModel(t, (response) => {
    response.writeHead(500)
    const more = (): void => {
      while (!response.destroyed) if (!response.write('x'.repeat(65_536))) return void response.once('drain', more)
    }
    more()
  })
  await assert.rejects(model.ask(), { code: 'model_unavailable' })
})
