import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRecordRedact } from '../../../shared/telemetry/redact-record.ts'
import { createRedact } from '../../../shared/telemetry/redact-text.ts'

const { fields, message } = createRecordRedact(createRedact(['correct horse battery']))

test('values are replaced under every spelling of the name of a credential', () => {
  const names =
    'password db_password DB-PASSWORD dbPassword passwd secret clientSecret token accessToken x-auth-token authorization Proxy-Authorization cookie set-cookie api_key apiKey X-API-Key private_key credentials dsn'
  for (const name of names.split(' ')) {
    assert.deepEqual(fields({ [name]: 'x', other: 'x' }), { [name]: '[redacted]', other: 'x' }, name)
    assert.deepEqual(fields({ [name]: 12 }), { [name]: '[redacted]' }, name)
    assert.deepEqual(fields({ a: { b: [{ [name]: 'x' }] } }), { a: { b: [{ [name]: '[redacted]' }] } }, name)
  }
})

test('names that only look like one keep their values', () => {
  const record = { key: 'a', input_tokens: 3, tokens: 'a', event_id: 'b', secretary: 'c', cookies: 2, tokenizer: 'd' }
  assert.equal(fields(record), record)
})

test('a harmless record is given back itself, and a changed one is a copy', () => {
  const harmless = { event_id: '0198', outcome: 'done', ms: 3, code: undefined, ok: true, nothing: null }
  assert.equal(fields(harmless), harmless)
  const harmful = { reason: 'the correct horse battery' }
  assert.deepEqual(fields(harmful), { reason: 'the [redacted]' })
  assert.deepEqual(harmful, { reason: 'the correct horse battery' })
})

test('errors are told with code, stack and cause, and without secrets', () => {
  const cause = Object.assign(new Error('password=correct'), { code: 'ECONNREFUSED' })
  const error = new Error('cannot reach correct horse battery', { cause })
  const { err } = fields({ err: error }) as { err: Record<string, unknown> & { cause: Record<string, unknown> } }
  assert.equal(err['type'], 'Error')
  assert.equal(err['message'], 'cannot reach [redacted]')
  assert.match(String(err['stack']), /redact-record\.test/)
  assert.equal(String(err['stack']).includes('horse'), false)
  assert.deepEqual([err.cause['message'], err.cause['code']], ['password=[redacted]', 'ECONNREFUSED'])
})

test('a known secret of hexadecimal digits is one as a whole value, too', () => {
  for (const key of ['0f'.repeat(32), 'deadbeefcafe', '3b241101-e2bb-4255-8caf-4136c566a962']) {
    const redact = createRecordRedact(createRedact([key]))
    for (let time = 0; time < 2; time += 1) assert.deepEqual(redact.fields({ reason: key }), { reason: '[redacted]' })
  }
  assert.equal(message('0198c0a8-7d1e-7c3a-9b55-000000000001'), '0198c0a8-7d1e-7c3a-9b55-000000000001')
})

test('bytes are told by their number, and what is deep or endless is cut', () => {
  let deep: unknown = 'end'
  for (let depth = 0; depth < 1_000; depth += 1) deep = { deep }
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  assert.deepEqual(fields({ body: Buffer.from('secret') }), { body: '[6 bytes]' })
  assert.ok(JSON.stringify(fields({ deep, circular })).length < 300)
  assert.equal((fields({ list: Array.from({ length: 1_000 }, () => 1) })['list'] as unknown[]).length, 64)
})

test('an object whose members all lead back to it costs little', () => {
  const web: Record<string, unknown> = {}
  for (let n = 0; n < 64; n += 1) web[`member${n}`] = web // 64 to the power of the depth, if each way were walked
  assert.ok(JSON.stringify(fields({ web })).length < 500_000)
  assert.deepEqual(fields({ password: 'x' }), { password: '[redacted]' }, 'the next record has its own measure')
})

test('a message is looked at like any text', () => {
  assert.equal(message('event done'), 'event done')
  assert.equal(message('event done'), 'event done')
  assert.equal(message('using correct horse battery'), 'using [redacted]')
})
