// The rows of the list of bad inputs that reach the gateway, each with its coded answer.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { call, post, say, type Answer } from '../support/client.ts'
import { createSession, startGateway } from '../support/gateway-server.ts'

const json = { 'content-type': 'application/json' }

/** Sends bytes as they are and reads the status of the first answer. */
function raw(url: string, head: string): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(head))
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
      if (status === undefined) return
      socket.destroy()
      resolve(Number(status))
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(0))
  })
}

test('bad inputs of the gateway', { timeout: 120_000 }, async (t) => {
  const { url, database } = await startGateway(t)
  const messageUrl = `${url}/v1/session/message`
  const { session_id: sessionId } = await say(url, 'hello')
  await createSession(database, 'of-acme', 'acme')
  const send = (body: string | Uint8Array, headers: Record<string, string> = json): Promise<Answer> =>
    call(messageUrl, { method: 'POST', headers, body })

  const cases: readonly (readonly [string, () => Promise<Answer>, number, string?])[] = [
    ['1: not JSON', () => send('{"message":'), 400, 'invalid_json'],
    ['1: empty', () => send(''), 400, 'invalid_json'],
    ['1: trailing garbage', () => send('{"message":"a"} x'), 400, 'invalid_json'],
    ['1: NaN', () => send('{"message":NaN}'), 400, 'invalid_json'],
    ['2: no content type', () => send(new TextEncoder().encode('{"message":"a"}'), {}), 415, 'unsupported_media_type'],
    ['2: text/plain', () => send('{"message":"a"}', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    [
      '2: utf-16',
      () => send('{"message":"a"}', { 'content-type': 'application/json; charset=utf-16' }),
      415,
      'unsupported_media_type',
    ],
    ['3: invalid UTF-8', () => send(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), 400, 'invalid_encoding'],
    ['5: gzip', () => send('x', { ...json, 'content-encoding': 'gzip' }), 415, 'unsupported_media_type'],
    ['6: depth', () => send(`{"metadata":${'['.repeat(10_000)}${']'.repeat(10_000)}}`), 400, 'too_complex'],
    ['7: __proto__', () => send('{"message":"a","__proto__":{"x":1}}'), 400, 'forbidden_key'],
    [
      '7: constructor.prototype',
      () => send('{"message":"a","metadata":{"constructor":{"prototype":{}}}}'),
      400,
      'forbidden_key',
    ],
    ['8: duplicate key', () => send('{"message":"a","message":"b"}'), 400, 'duplicate_key'],
    ['9: number beyond 2^53', () => send('{"message":9007199254740993}'), 422, 'number_out_of_range'],
    ['9: number for a string', () => send('{"message":12}'), 422, 'invalid_request'],
    ['10: NUL', () => send('{"message":"a\\u0000b"}'), 422, 'invalid_character'],
    ['10: lone surrogate', () => send('{"message":"\\ud800"}'), 422, 'invalid_character'],
    ['11: tenant', () => post(messageUrl, { message: 'a', tenant: 'acme' }), 422, 'invalid_request'],
    ['11: is_admin', () => post(messageUrl, { message: 'a', is_admin: true }), 422, 'invalid_request'],
    [
      '11: requeue_override in metadata is only text',
      () => post(messageUrl, { message: 'a', metadata: { requeue_override: true } }),
      422,
      'invalid_request',
    ],
    [
      '11: attachments are not here yet',
      () => post(messageUrl, { message: 'a', attachments: [] }),
      422,
      'invalid_request',
    ],
    ['12: control characters in a message are kept', () => post(messageUrl, { message: 'a\r\n\u001B[31m\u202E' }), 202],
    [
      '13: SQL in an id',
      () => post(messageUrl, { message: 'a', session_id: "x'; DROP TABLE agent.session; --" }),
      422,
      'invalid_request',
    ],
    [
      '13: path in an id',
      () => post(messageUrl, { message: 'a', session_id: '../../etc/passwd' }),
      422,
      'invalid_request',
    ],
    ['13: encoded path in a route', () => call(`${url}/v1/sessions/..%2f..%2fetc`), 422],
    ['13: NUL in a route', () => call(`${url}/v1/sessions/%00`), 422],
    ['14: PUT', () => call(messageUrl, { method: 'PUT' }), 405, 'method_not_allowed'],
    ['15: URL', () => call(`${url}/v1/sessions?cursor=${'x'.repeat(9_000)}`), 414, 'uri_too_long'],
    ['18: limit twice', () => call(`${url}/v1/sessions?limit=1&limit=9999`), 400, 'invalid_parameter'],
    ['18: limit -1', () => call(`${url}/v1/sessions?limit=-1`), 422, 'invalid_request'],
    ['18: limit 1e9', () => call(`${url}/v1/sessions?limit=1e9`), 422, 'invalid_request'],
    ['18: limit abc', () => call(`${url}/v1/sessions?limit=abc`), 422, 'invalid_request'],
    ['18: unknown parameter', () => call(`${url}/v1/sessions?tenant=acme`), 422, 'invalid_request'],
    [
      '18: forged cursor',
      () => call(`${url}/v1/sessions?cursor=${Buffer.from('["1; DROP","x"]').toString('base64url')}`),
      400,
      'invalid_parameter',
    ],
    [
      '18: cursor with NUL',
      () => call(`${url}/v1/sessions?cursor=${Buffer.from('["1","\\u0000"]').toString('base64url')}`),
      400,
      'invalid_parameter',
    ],
    ['18: cursor that is no JSON', () => call(`${url}/v1/sessions?cursor=%27`), 400, 'invalid_parameter'],
    ['20: session of another tenant', () => call(`${url}/v1/sessions/of-acme`), 404, 'not_found'],
    ['20: events of another tenant', () => call(`${url}/v1/sessions/of-acme/events`), 404, 'not_found'],
    ['25: stream of another tenant', () => call(`${url}/v1/session/of-acme/events`), 404, 'not_found'],
    ['25: stream of nobody', () => call(`${url}/v1/session/nobody/events`), 404, 'not_found'],
    [
      '26: Last-Event-ID garbage',
      () => call(`${url}/v1/session/${sessionId}/events`, { headers: { 'last-event-id': 'abc' } }),
      400,
      'invalid_parameter',
    ],
    [
      '26: Last-Event-ID negative',
      () => call(`${url}/v1/session/${sessionId}/events`, { headers: { 'last-event-id': '-1' } }),
      400,
      'invalid_parameter',
    ],
    [
      '26: Last-Event-ID long',
      () => call(`${url}/v1/session/${sessionId}/events`, { headers: { 'last-event-id': '1'.repeat(8_000) } }),
      400,
      'invalid_parameter',
    ],
    [
      '26: Last-Event-ID ahead',
      () => call(`${url}/v1/session/${sessionId}/events`, { headers: { 'last-event-id': '999' } }),
      404,
      'not_found',
    ],
    ['26: after garbage', () => call(`${url}/v1/session/${sessionId}/events?after=abc`), 422, 'invalid_request'],
    [
      '23: a page of another origin',
      () =>
        call(messageUrl, {
          method: 'POST',
          headers: { ...json, origin: 'https://evil.example' },
          body: '{"message":"a"}',
        }),
      403,
      'forbidden',
    ],
    ['message too long', () => post(messageUrl, { message: 'x'.repeat(32_769) }), 422, 'invalid_request'],
    ['message at its limit', () => post(messageUrl, { message: 'x'.repeat(32_768) }), 202],
    ['empty message', () => post(messageUrl, { message: '' }), 422, 'invalid_request'],
    [
      '33 metadata entries',
      () =>
        post(messageUrl, {
          message: 'x',
          metadata: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, 'v'])),
        }),
      422,
      'invalid_request',
    ],
    ['nothing here', () => call(`${url}/v1/nothing`), 404, 'not_found'],
  ]
  for (const [what, ask, status, code] of cases) {
    await t.test(what, async () => {
      const answer = await ask()
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      if (status < 400) return
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      assert.match(String(answer.body['trace_id']), /^[0-9a-f]{32}$/)
      if (code !== undefined) assert.equal(answer.body['code'], code)
      assert.doesNotMatch(JSON.stringify(answer.body), /DROP|etc\/passwd|\bat .*\.ts/)
    })
  }

  await t.test('4: a body over 1 MiB is 413', async () => {
    const answer = await send(`{"message":"${'x'.repeat(1_048_576)}"}`).catch(() => undefined) // cut while it was sent
    if (answer !== undefined) assert.deepEqual([answer.status, answer.body['code']], [413, 'body_too_large'])
  })

  await t.test('14: TRACE is not let through', async () => {
    assert.equal(await raw(url, 'TRACE /v1/session/message HTTP/1.1\r\nHost: x\r\n\r\n'), 405)
  })

  await t.test('15: a head over 16 KiB is 431', async () => {
    assert.equal(await raw(url, `GET /v1/sessions HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`), 431)
  })

  await t.test('16: two lengths, or a length and chunks, are refused', async () => {
    const head = 'POST /v1/session/message HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    assert.equal(await raw(url, `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`), 400)
    assert.equal(await raw(url, `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), 400)
  })

  await t.test('nothing of it changed a prototype or another tenant', async () => {
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
    const { rows } = await database.query(`SELECT last_ordinal FROM agent.session WHERE tenant = 'acme'`)
    assert.deepEqual(rows, [{ last_ordinal: 0 }])
  })
})
