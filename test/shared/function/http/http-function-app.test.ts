// An HTTP function on a real port: bad input, problem documents, trace, metrics, health and drain.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { defineHttpFunction, type Routes } from '../../../../shared/function/index.ts'
import { until } from '../../../support/index.ts'
import { exchange, openConnection, post } from '../raw-http.ts'
import { startServiceOfTest } from '../start-service.ts'

const limit = { timeout: 30_000 }

const notes = defineHttpFunction({
  name: 'notes',
  purpose: 'Tests HTTP functions',
  produces: [],
  needs: [],
  scale: { min: 0, max: 1, concurrency: 10 },
})

const noteSchema = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: { text: { type: 'string', minLength: 1 }, count: { type: 'integer' } },
} as const

const listSchema = { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 100 } } } as const

const routes: Routes = (app, { log }) => {
  app.post('/v1/notes', { schema: { body: noteSchema } }, async (request, reply) => {
    log.info('noting')
    return reply.code(202).send({ got: request.body })
  })
  app.get('/v1/notes', { schema: { querystring: listSchema } }, async (request) => request.query)
  app.get('/v1/notes/:id', async (request) => request.params)
  app.delete('/v1/notes/:id', async (_request, reply) => reply.code(204).send())
  app.get('/v1/fails/:how', async (request) => {
    const { how } = request.params as { readonly how: string }
    if (how === 'conflict') throw new SluiceError('turn_running', 'canary', { details: { turn_id: 't1', status: 999 } })
    if (how === 'busy') throw new SluiceError('overloaded', 'canary', { retryAfterMs: 2_100 })
    if (how === 'database') throw Object.assign(new Error('canary'), { code: '57P01', severity: 'FATAL' })
    if (how === 'locked') throw Object.assign(new Error('canary'), { code: '55P03', severity: 'ERROR' })
    throw new Error('canary')
  })
}

const start = (t: TestContext, behaviour: Routes = routes) => startServiceOfTest(t, notes, { behaviour })
const json = { 'content-type': 'application/json' }
const get = (target: string, method = 'GET') => `${method} ${target} HTTP/1.1\r\nhost: x\r\n\r\n`
const problemOf = (body: string) => JSON.parse(body) as Record<string, unknown>

interface Row {
  readonly what: string
  readonly request: string | Buffer
  readonly status: number
  readonly code: string
}

const body = (what: string, text: string | Buffer, [status, code]: [number, string]): Row => ({ what, request: post(json, text, '/v1/notes'), status, code }) // prettier-ignore

const rows: readonly Row[] = [
  body('1 not JSON', 'hello', [400, 'invalid_json']),
  body('1 empty', '', [400, 'invalid_json']),
  body('1 trailing garbage', '{"text":"a"}x', [400, 'invalid_json']),
  body('1 NaN', '{"text":NaN}', [400, 'invalid_json']),
  {
    what: '2 no content type',
    request: post({}, '{"text":"a"}', '/v1/notes'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: '2 another content type',
    request: post({ 'content-type': 'text/plain' }, '{"text":"a"}', '/v1/notes'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: '2 a form',
    request: post({ 'content-type': 'application/x-www-form-urlencoded' }, 'text=a', '/v1/notes'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: '2 UTF-16',
    request: post({ 'content-type': 'application/json; charset=utf-16' }, '{"text":"a"}', '/v1/notes'),
    status: 415,
    code: 'unsupported_media_type',
  },
  body('3 invalid UTF-8', Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xff]), Buffer.from('"}')]), [
    400,
    'invalid_encoding',
  ]),
  {
    what: '5 gzip',
    request: post({ ...json, 'content-encoding': 'gzip' }, gzipSync('{"text":"a"}'), '/v1/notes'),
    status: 415,
    code: 'unsupported_media_type',
  },
  body('6 depth 10,000', `{"text":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, [400, 'too_complex']),
  body('7 __proto__', '{"text":"a","__proto__":{"x":1}}', [400, 'forbidden_key']),
  body('7 constructor', '{"text":"a","constructor":{"prototype":{"x":1}}}', [400, 'forbidden_key']),
  body('8 the same key twice', '{"text":"a","text":"b"}', [400, 'duplicate_key']),
  body('9 an integer beyond 2^53', '{"text":"a","count":9007199254740993}', [422, 'number_out_of_range']),
  body('9 1e999', '{"text":"a","count":1e999}', [422, 'number_out_of_range']),
  body('9 "12" for an integer', '{"text":"a","count":"12"}', [422, 'invalid_request']),
  body('10 NUL', '{"text":"a\\u0000"}', [422, 'invalid_character']),
  body('10 a lone surrogate', '{"text":"\\udc00"}', [422, 'invalid_character']),
  body('11 an unknown property', '{"text":"a","is_admin":true}', [422, 'invalid_request']),
  body('11 a missing property', '{}', [422, 'invalid_request']),
  { what: '13 a broken escape in the path', request: get('/v1/notes/%zz'), status: 400, code: 'invalid_parameter' },
  { what: '13 an unknown path', request: get('/v2/notes'), status: 404, code: 'not_found' },
  { what: '13 a path that climbs', request: get('/v1/../etc/passwd'), status: 404, code: 'not_found' },
  { what: 'metrics are not on the serving port', request: get('/metrics'), status: 404, code: 'not_found' },
  {
    what: 'the log level is not on the serving port',
    request: get('/log-level', 'PUT'),
    status: 404,
    code: 'not_found',
  },
  {
    what: '14 a method the path does not know',
    request: get('/v1/notes', 'PUT'),
    status: 405,
    code: 'method_not_allowed',
  },
  { what: '14 TRACE', request: get('/v1/notes', 'TRACE'), status: 405, code: 'method_not_allowed' },
  {
    what: '14 QUERY without a content type',
    request: get('/v1/notes', 'QUERY'),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: '15 a target over 8 KiB',
    request: get(`/v1/notes?x=${'a'.repeat(8_192)}`),
    status: 414,
    code: 'uri_too_long',
  },
  {
    what: '15 a head over 16 KiB',
    request: `GET /v1/notes HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(16_384)}\r\n\r\n`,
    status: 431,
    code: 'headers_too_large',
  },
  {
    what: '16 two hosts',
    request: 'GET /v1/notes HTTP/1.1\r\nhost: x\r\nHost: evil.example\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '16 length and chunked',
    request: 'POST /v1/notes HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '18 a parameter twice',
    request: get('/v1/notes?limit=1&limit=9999'),
    status: 400,
    code: 'invalid_parameter',
  },
  { what: '18 a parameter below its range', request: get('/v1/notes?limit=-1'), status: 422, code: 'invalid_request' },
  {
    what: '18 a parameter above its range',
    request: get('/v1/notes?limit=1000000000'),
    status: 422,
    code: 'invalid_request',
  },
  { what: '18 no number', request: get('/v1/notes?limit=abc'), status: 422, code: 'invalid_request' },
]

for (const { what, request, status, code } of rows) {
  test(`${what} → ${status} ${code}`, limit, async (t) => {
    const { port } = await start(t)
    const answer = await exchange(port, request)
    assert.equal(answer.status, status, answer.body)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    const problem = problemOf(answer.body)
    assert.deepEqual([problem['code'], problem['status'], problem['type']], [code, status, `urn:sluice:error:${code}`])
    assert.match(String(problem['trace_id']), /^[0-9a-f]{32}$/)
    assert.ok(!/stack|node_modules|is_admin|passwd/.test(answer.body), 'no stack, no echo')
    if (status === 405) assert.equal(answer.headers['allow'], 'GET, HEAD, POST')
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
  })
}

test('4 a body over 1 MiB is 413 before it is read, and the connection closes', limit, async (t) => {
  const { port } = await start(t)
  const connection = await openConnection(port)
  connection.write(post({ ...json, 'content-length': '1048577' }, '', '/v1/notes'))
  const answer = await connection.answer()
  assert.deepEqual([answer.status, problemOf(answer.body)['code'], answer.closed], [413, 'body_too_large', true])
})

test('a good request is answered with the trace of its caller, one log line and one count', limit, async (t) => {
  const service = await start(t)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const answer = await exchange(service.port, post({ ...json, traceparent }, '{"text":"a","count":3}', '/v1/notes'))
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [202, { got: { text: 'a', count: 3 } }])
  assert.match(answer.headers['traceresponse'] ?? '', /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  const [noting, answered, ...more] = await until('both lines are there', () => {
    const lines = service.records().filter((record) => record['message'] !== 'ready')
    return lines.length >= 2 && lines
  })
  assert.deepEqual(more, [])
  assert.deepEqual([noting?.['message'], noting?.['trace_id']], ['noting', '4bf92f3577b34da6a3ce929d0e0e4736'])
  assert.deepEqual(
    ['message', 'method', 'route', 'status', 'trace_id'].map((name) => answered?.[name]),
    ['request answered', 'POST', '/v1/notes', 202, '4bf92f3577b34da6a3ce929d0e0e4736'],
  )
  const metrics = await exchange(service.operationsPort, get('/metrics'))
  assert.match(metrics.body, /sluice_http_requests_total\{status="2xx",function="notes"\} 1/)
})

test('ids of a path are in no log line', limit, async (t) => {
  const service = await start(t)
  assert.equal((await exchange(service.port, get('/v1/notes/canary-id'))).status, 200)
  await until('the line is there', () => service.records().some((record) => record['route'] === '/v1/notes/:id'))
  assert.equal(JSON.stringify(service.records()).includes('canary-id'), false)
})

test(
  'our errors keep their code, their details cannot replace the standard members, and later means Retry-After',
  limit,
  async (t) => {
    const { port } = await start(t)
    const conflict = await exchange(port, get('/v1/fails/conflict'))
    assert.deepEqual(
      [conflict.status, problemOf(conflict.body)['turn_id'], problemOf(conflict.body)['status']],
      [409, 't1', 409],
    )
    const busy = await exchange(port, get('/v1/fails/busy'))
    assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '3'])
    const database = await exchange(port, get('/v1/fails/database'))
    assert.deepEqual(
      [database.status, problemOf(database.body)['code'], database.headers['retry-after']],
      [503, 'database_unavailable', '1'],
    )
    const locked = await exchange(port, get('/v1/fails/locked'))
    assert.deepEqual(
      [locked.status, problemOf(locked.body)['code'], locked.headers['retry-after']],
      [503, 'database_busy', '1'],
    )
    for (const { body } of [conflict, busy, database, locked]) assert.equal(body.includes('canary'), false)
  },
)

test('what nobody foresaw is 500, logged once with its stack under the trace of the request', limit, async (t) => {
  const service = await start(t)
  const answer = await exchange(service.port, get('/v1/fails/unforeseen'))
  assert.deepEqual(
    [answer.status, problemOf(answer.body)['code'], answer.body.includes('canary')],
    [500, 'internal', false],
  )
  const errors = service.records().filter((record) => record['level'] === 'error')
  assert.equal(errors.length, 1)
  assert.deepEqual([errors[0]?.['reason'], errors[0]?.['trace_id']], ['canary', problemOf(answer.body)['trace_id']])
  assert.match(String(errors[0]?.['stack']), /http-function-app\.test/)
})

test('health is there and leaves no line and no count', limit, async (t) => {
  const service = await start(t)
  for (const path of ['/live', '/ready', '/health']) assert.equal((await exchange(service.port, get(path))).status, 200)
  assert.equal((await exchange(service.port, get('/metrics'))).status, 404)
  assert.equal(
    service.records().filter((record) => record['message'] === 'request answered' && record['status'] === 200).length,
    0,
  )
})

test(
  'drain: requests in flight are answered, new ones get 503, streams are told to close when the work is done',
  limit,
  async (t) => {
    const gate = Promise.withResolvers<void>()
    const events: string[] = []
    const service = await start(t, (app, { openStream, draining }) => {
      draining.addEventListener('abort', () => events.push('draining'))
      app.get('/slow', async () => {
        events.push('slow begins')
        await gate.promise
        events.push('slow ends')
        return { done: true }
      })
      app.get('/stream', (request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
        reply.raw.write(': hello\n\n')
        events.push('stream open')
        openStream(request, () => {
          events.push('stream closes')
          reply.raw.end('retry: 1000\n\n')
        })
      })
    })
    const stream = await openConnection(service.port)
    let streamed = ''
    stream.socket.on('data', (chunk: Buffer) => (streamed += chunk.toString()))
    stream.write(get('/stream'))
    const slow = exchange(service.port, get('/slow'))
    await until('both are open', () => events.length === 2)

    const draining = service.drain({ totalMs: 5_000 })
    const late = await exchange(service.port, get('/slow'))
    assert.deepEqual([late.status, problemOf(late.body)['code'], late.headers['retry-after']], [503, 'draining', '1'])
    assert.equal((await exchange(service.port, get('/live'))).status, 200)
    assert.equal(service.unfinished().length, 1)
    gate.resolve()
    assert.equal((await slow).status, 200)
    const receipt = await draining
    assert.deepEqual([receipt.finished.length, receipt.released, receipt.failedSteps], [1, [], []])
    assert.match(receipt.finished[0] ?? '', /^GET \/slow [0-9a-f]{32}$/)
    assert.deepEqual(events.slice(2), ['draining', 'slow ends', 'stream closes'])
    await until('the client saw the hint', () => streamed.includes('retry: 1000'))
    stream.socket.destroy()
  },
)

test('a stream that its client leaves is forgotten', limit, async (t) => {
  let closed = 0
  const service = await start(t, (app, { openStream }) => {
    app.get('/stream', (request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.raw.write(': hello\n\n')
      openStream(request, () => void (closed += 1))
    })
  })
  const stream = await openConnection(service.port)
  const opened = new Promise((resolve) => stream.socket.once('data', resolve))
  stream.write(get('/stream'))
  await opened
  stream.socket.destroy()
  await until('it is logged', () => service.records().some((record) => record['route'] === '/stream'))
  await service.drain({ totalMs: 1_000 })
  assert.equal(closed, 0)
})

test('a stream whose client left before it was opened is not kept', limit, async (t) => {
  let closed = 0
  const service = await start(t, (app, { openStream }) => {
    app.get('/stream', async (request, reply) => {
      reply.hijack()
      await once(reply.raw, 'close')
      openStream(request, () => void (closed += 1))
    })
  })
  const stream = await openConnection(service.port)
  stream.write(get('/stream'))
  await until('it runs', () => service.unfinished().length === 1)
  stream.socket.destroy()
  await until('it is logged', () => service.records().some((record) => record['route'] === '/stream'))
  await service.drain({ totalMs: 1_000 })
  assert.equal(closed, 0)
})

test('without Postgres a transaction is refused with the remedy', limit, async (t) => {
  const service = await start(t, (app, { transaction }) => {
    app.get('/write', () => transaction(async () => 1, { tenant: 'local' }))
  })
  const answer = await exchange(service.port, get('/write'))
  assert.equal(answer.status, 500)
})

test(
  'a malformed trace context is ignored and counted; the log level is not to be had on the serving port',
  limit,
  async (t) => {
    const service = await start(t)
    const bad = await exchange(service.port, post({ ...json, traceparent: 'garbage' }, '{"text":"a"}', '/v1/notes'))
    assert.equal(bad.status, 202)
    const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text()
    assert.match(metrics, /sluice_bad_trace_contexts_total\{.*part="traceparent".*\} 1/)
    for (const method of ['GET', 'PUT']) {
      const answer = await fetch(`http://127.0.0.1:${service.port}/log-level`, { method })
      await answer.body?.cancel()
      assert.equal(answer.status, 404)
    }
  },
)
