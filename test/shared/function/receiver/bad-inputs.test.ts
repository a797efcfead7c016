// The rows of bad input that reach a receiver, as bytes on a socket. Each has one answer, and none reaches the handler.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { exchange, openConnection, post } from '../raw-http.ts'
import { anyEvent, message, messageHeaders, startEventServer } from './start-event-server.ts'

interface Row {
  readonly what: string
  readonly request: string | Buffer
  readonly status: number
  readonly code: string
}

const structuredType = { 'content-type': 'application/cloudevents+json' }
const envelope = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    specversion: '1.0',
    id: 'i',
    source: '/s',
    type: 'conversation.message.received.v1',
    tenant: 'local',
    datacontenttype: 'application/json',
    data: { session_id: 's', turn_id: 't', message: 'm' },
    ...changes,
  })
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const without = (name: string): Record<string, string> => {
  const { [name]: _, ...rest } = messageHeaders()
  return rest
}
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`ce-x${n}`, 'v']))

const body = (what: string, text: string | Buffer, [status, code]: [number, string]): Row => ({ what, request: post(messageHeaders(), text), status, code }) // prettier-ignore
const head = (what: string, headers: Record<string, string>, [status, code]: [number, string] = [400, 'ce_invalid']): Row => ({ what, request: post(messageHeaders(headers), message()), status, code }) // prettier-ignore
const cloud = (what: string, text: string, [status, code]: [number, string] = [400, 'ce_invalid']): Row => ({ what, request: post(structuredType, text), status, code }) // prettier-ignore

const rows: readonly Row[] = [
  // 1–3: not JSON
  body('1 not JSON', 'hello', [400, 'data_invalid']),
  body('1 no body at all', '', [400, 'data_invalid']),
  body('1 trailing garbage', `${message()}x`, [400, 'data_invalid']),
  body('1 a NaN literal', '{"session_id":NaN}', [400, 'data_invalid']),
  {
    what: '2 another content type',
    request: post(messageHeaders({ 'content-type': 'text/plain' }), message()),
    status: 400,
    code: 'data_invalid',
  },
  {
    what: '2 UTF-16',
    request: post(
      messageHeaders({ 'content-type': 'application/json; charset=utf-16' }),
      Buffer.from(message(), 'utf16le'),
    ),
    status: 415,
    code: 'unsupported_media_type',
  },
  body('3 invalid UTF-8', Buffer.concat([Buffer.from('{"message":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), [
    400,
    'invalid_encoding',
  ]),
  // 5: encodings
  {
    what: '5 a gzip bomb',
    request: post(messageHeaders({ 'content-encoding': 'gzip' }), gzipSync(Buffer.alloc(50_000_000))),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: '5 an unknown encoding',
    request: post(messageHeaders({ 'content-encoding': 'x-y' }), 'x'),
    status: 415,
    code: 'unsupported_media_type',
  },
  // 6–10: hostile JSON
  body('6 depth 10,000', nested(10_000), [400, 'too_complex']),
  body('6 20,000 keys', `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(',')}}`, [400, 'too_complex']),
  body(
    '7 __proto__',
    message('m', { metadata: JSON.parse('{"__proto__":{"x":"y"}}') as object }).replace(
      '{}',
      '{"__proto__":{"x":"y"}}',
    ),
    [400, 'forbidden_key'],
  ),
  body(
    '7 __proto__, escaped',
    '{"session_id":"s","turn_id":"t","message":"m","metadata":{"\\u005f_proto__":{"x":1}}}',
    [400, 'forbidden_key'],
  ),
  body('7 constructor.prototype', '{"session_id":"s","constructor":{"prototype":{"x":1}}}', [400, 'forbidden_key']),
  body('8 the same key twice', '{"session_id":"s","session_id":"t","turn_id":"t","message":"m"}', [
    400,
    'duplicate_key',
  ]),
  body('9 an integer beyond 2^53', '{"session_id":9007199254740993}', [422, 'number_out_of_range']),
  body('9 1e999', '{"session_id":1e999}', [422, 'number_out_of_range']),
  body('9 -0', '{"session_id":-0}', [422, 'number_out_of_range']),
  body('9 a number for a text', message('m', { session_id: 12 }), [400, 'data_invalid']),
  body('10 NUL in a string', '{"session_id":"s","turn_id":"t","message":"a\\u0000b"}', [422, 'invalid_character']),
  body('10 a lone surrogate', '{"session_id":"s","turn_id":"t","message":"\\ud800"}', [422, 'invalid_character']),
  // 11: unknown fields
  body('11 unknown fields', message('m', { tenant: 'other', is_admin: true }), [400, 'data_invalid']),
  // 14, 58: methods
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS'].map((method): Row => ({
    what: `14 ${method}`,
    request: `${method} / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`,
    status: 405,
    code: 'method_not_allowed',
  })),
  {
    what: '58 an OPTIONS of a webhook',
    request: 'OPTIONS / HTTP/1.1\r\nhost: x\r\nwebhook-request-origin: evil.example\r\n\r\n',
    status: 405,
    code: 'method_not_allowed',
  },
  // 15: head limits
  {
    what: '15 a target over 8 KiB',
    request: post(messageHeaders(), message(), `/${'a'.repeat(8_192)}`),
    status: 414,
    code: 'uri_too_long',
  },
  {
    what: '15 a head over 64 KiB',
    request: post(messageHeaders({ 'x-large': 'a'.repeat(65_536) }), message()),
    status: 431,
    code: 'headers_too_large',
  },
  // 16: framing
  {
    what: '16 two hosts',
    request: 'POST / HTTP/1.1\r\nhost: x\r\nHost: evil.example\r\ncontent-length: 0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '16 length and chunked',
    request: 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '16 two lengths',
    request: 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '16 a bare LF',
    request: 'POST / HTTP/1.1\nhost: x\ncontent-length: 0\n\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: '16 a folded header',
    request: 'POST / HTTP/1.1\r\nhost: x\r\nce-id: a\r\n b\r\ncontent-length: 0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  { what: '16 no host', request: 'POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n', status: 400, code: '' },
  {
    what: '12 a control character in a header',
    request: post(messageHeaders({ 'ce-id': 'a\u001b[31mb' }), message()),
    status: 400,
    code: '',
  },
  {
    what: '23 an event from a page whose name was made to lead here',
    request: post(messageHeaders({ host: 'evil.example', origin: 'http://evil.example' }), message()),
    status: 403,
    code: 'forbidden',
  },
  // 41–47: CloudEvents
  ...['id', 'source', 'type', 'specversion'].map((name): Row => ({
    what: `41 no ce-${name}`,
    request: post(without(`ce-${name}`), message()),
    status: 400,
    code: 'ce_invalid',
  })),
  ...['id', 'source', 'type', 'specversion'].map((name) => head(`41 an empty ce-${name}`, { [`ce-${name}`]: '' })),
  head('41 specversion 0.3', { 'ce-specversion': '0.3' }),
  head('41 specversion 2.0', { 'ce-specversion': '2.0' }),
  head('42 an id over 1 kB', { 'ce-id': 'i'.repeat(1_025) }),
  head('42 a source over 1 kB', { 'ce-source': `/${'s'.repeat(1_024)}` }),
  cloud('42 NUL in the id', envelope({ id: 'a\u0000b' }), [422, 'invalid_character']),
  {
    what: '44 a batch',
    request: post({ 'content-type': 'application/cloudevents-batch+json' }, '[]'),
    status: 415,
    code: 'unsupported_media_type',
  },
  head('44 %ZZ in an attribute', { 'ce-subject': '%ZZ' }),
  cloud('45 data and data_base64', envelope({ data_base64: 'eA==' }), [400, 'data_invalid']),
  cloud('45 bad base64', envelope({ data: undefined, data_base64: '*' }), [400, 'data_invalid']),
  head('46 the year 99999', { 'ce-time': '99999-01-01T00:00:00Z' }),
  head('46 a time without zone', { 'ce-time': '2026-01-01T00:00:00' }),
  head('46 a leap second', { 'ce-time': '2026-12-31T23:59:60Z' }),
  head('47 200 extensions', many(200)),
  cloud('47 an upper-case extension', envelope({ sessionId: 's' })),
  head('47 an extension called data', { 'ce-data': 'x' }),
  head('49 an unknown type', { 'ce-type': 'conversation.message.received.v2' }, [400, 'unknown_type']),
  head('49 a type of another function', { 'ce-type': 'tool.call.requested.v1' }, [400, 'unknown_type']),
  head('49 the right type from a topic that is not consumed', { 'ce-sluicetopic': 'tool.results' }, [
    400,
    'unknown_type',
  ]),
  // not a CloudEvent at all
  {
    what: 'JSON without CloudEvents headers',
    request: post({ 'content-type': 'application/json' }, message()),
    status: 400,
    code: 'not_cloudevent',
  },
]

for (const { what, request, status, code } of rows) {
  test(`${what} → ${status} ${code}`, { timeout: 20_000 }, async (t) => {
    const server = await startEventServer(t)
    const began = performance.now()
    const answer = await exchange(server.port, request)
    assert.equal(answer.status, status, answer.body)
    if (code !== '') assert.equal((JSON.parse(answer.body) as { code: string }).code, code)
    if (status === 405) assert.equal(answer.headers['allow'], 'POST')
    if (code === 'too_complex') assert.ok(performance.now() - began < 250, 'refused without looking far')
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('webhook')),
      [],
    )
    assert.deepEqual(server.events, [])
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
    for (const line of server.logText().split('\n').filter(Boolean)) assert.doesNotThrow(() => void JSON.parse(line))
  })
}

test('43 ce-* headers beside a structured body are ignored', async (t) => {
  const server = await startEventServer(t)
  const answer = await exchange(
    server.port,
    post({ ...messageHeaders({ 'ce-id': 'header' }), ...structuredType }, envelope()),
  )
  assert.equal(answer.status, 200)
  assert.equal(server.events[0]?.id, 'i')
})

test('53 a malformed traceparent and a huge tracestate begin a new trace, and the event is processed', async (t) => {
  const server = await startEventServer(t)
  const headers = messageHeaders({
    traceparent: 'garbage',
    'ce-traceparent': '00-zz',
    tracestate: 'a=b,'.repeat(2_500),
  })
  assert.equal((await exchange(server.port, post(headers, message()))).status, 200)
  assert.match(String(server.records()[0]?.['trace_id']), /^[0-9a-f]{32}$/)
})

test('52 an event of 64 KiB passes, and so does one that fills the body limit; one byte more is 413', async (t) => {
  const server = await startEventServer(t, { consumes: anyEvent })
  const headers = messageHeaders({ 'content-type': 'text/plain' })
  const statuses: number[] = []
  for (const bytes of [65_536, 1_048_575, 1_048_576, 1_048_577]) {
    statuses.push((await exchange(server.port, post(headers, 'a'.repeat(bytes)))).status)
  }
  assert.deepEqual(statuses, [200, 200, 200, 413])
  assert.equal(server.events.length, 3)
})

test('4 an oversized body is read to its end before 413, and the connection goes on', async (t) => {
  const server = await startEventServer(t)
  const connection = await openConnection(server.port)
  connection.write(post(messageHeaders(), 'a'.repeat(3_000_000)))
  const refused = await connection.answer()
  assert.deepEqual([refused.status, refused.headers['connection'], refused.closed], [413, 'keep-alive', false])
  connection.write(post(messageHeaders(), message()))
  assert.equal((await connection.answer()).status, 200)
  connection.socket.destroy()
})

test('4 a chunked body that grows past the limit is 413 at its end', async (t) => {
  const server = await startEventServer(t)
  const connection = await openConnection(server.port)
  const lines = Object.entries(messageHeaders()).map(([name, value]) => `${name}: ${value}\r\n`)
  connection.write(`POST / HTTP/1.1\r\nhost: x\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n`)
  for (let n = 0; n < 20; n += 1) connection.write(`10000\r\n${'a'.repeat(0x10000)}\r\n`)
  connection.write('0\r\n\r\n')
  assert.equal((await connection.answer()).status, 413)
  connection.socket.destroy()
})

test('4 a body without end is cut off at the second limit', async (t) => {
  const server = await startEventServer(t, { limits: { bodyBytes: 1_000, droppedBodyBytes: 100_000 } })
  const connection = await openConnection(server.port)
  connection.write(post(messageHeaders({ 'content-length': '100000000' }), 'a'.repeat(200_000)))
  const answer = await connection.answer()
  assert.deepEqual([answer.status, answer.closed], [413, true])
})

test('15 a head just under 64 KiB passes, as a KafkaSource sends for a record with many headers', async (t) => {
  const server = await startEventServer(t)
  const answer = await exchange(server.port, post(messageHeaders({ 'x-large': 'a'.repeat(64_000) }), message()))
  assert.equal(answer.status, 200)
})

test('15 a target of 8,192 characters passes', async (t) => {
  const server = await startEventServer(t)
  assert.equal((await exchange(server.port, post(messageHeaders(), message(), `/${'a'.repeat(8_191)}`))).status, 200)
})

const slow = { headTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckMs: 50 }

test('17 a slow head is answered 408 and closed, while others are served', { timeout: 20_000 }, async (t) => {
  const server = await startEventServer(t, { limits: slow })
  const connection = await openConnection(server.port)
  connection.write('POST / HTTP/1.1\r\nhost: ')
  const others = await exchange(server.port, post(messageHeaders(), message()))
  const answer = await connection.answer()
  assert.deepEqual([others.status, answer.status, answer.closed], [200, 408, true])
})

test('17 a slow body is answered 408 and closed', { timeout: 20_000 }, async (t) => {
  const server = await startEventServer(t, { limits: slow })
  const connection = await openConnection(server.port)
  connection.write(post(messageHeaders({ 'content-length': '100' }), 'a'))
  const answer = await connection.answer()
  assert.deepEqual([answer.status, answer.closed], [408, true])
  assert.deepEqual(server.events, [])
})

test('17 the limits in force close a slow sender within 15 seconds', async () => {
  const { receiverLimits, httpLimits } = await import('../../../../shared/function/server-limits.ts')
  for (const limits of [receiverLimits, httpLimits]) {
    assert.ok(limits.headTimeoutMs <= limits.requestTimeoutMs)
    assert.ok(limits.requestTimeoutMs + limits.timeoutCheckMs <= 15_000)
  }
})

test(
  '56 a handler that never settles is answered 503 by the deadline, and its signal aborts',
  { timeout: 20_000 },
  async (t) => {
    const signals: AbortSignal[] = []
    const server = await startEventServer(t, {
      timeoutMs: 100,
      handler: (_event, { signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    })
    const answer = await exchange(server.port, post(messageHeaders(), message()))
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'deadline_exceeded')
    assert.equal(signals[0]?.aborted, true)
  },
)
