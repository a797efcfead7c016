// Where a request may go, and what its head may say.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { buildConnector } from 'undici'
import { createUntrustedOutbound } from '../../../../shared/resilience/outbound/untrusted-outbound.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd } from '../../../support/index.ts'
import { subject, serve, publicAddress } from './untrusted-subject.ts'

test('an ordinary page arrives, over a connection to the address that was checked', async (t) => {
  const server = await serve(t, (_request, response) => response.setHeader('content-type', 'text/plain').end('hello'))
  const { get, dialled } = subject({ port: server.port })
  const answer = await get('http://public.test/page?x=1')
  assert.equal(answer.status, 200)
  assert.equal(answer.body.toString(), 'hello')
  assert.equal(answer.headers['content-type'], 'text/plain')
  assert.deepEqual(
    dialled.map(({ hostname, port }) => [hostname, port]),
    [[publicAddress, '80']],
  )
  assert.equal(server.requests[0]?.headers.host, 'public.test')
  assert.equal(server.requests[0]?.url, '/page?x=1')
})

const spellings = [
  '0x7f.1',
  '2130706433',
  '0177.0.0.1',
  '127.1',
  '①②⑦.0.0.1',
  '127。0。0。1',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[::7f00:1]',
]
const addresses = [
  '0.0.0.0',
  '10.1.2.3',
  '172.20.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '[::1]',
  '[fd00::1]',
  '[fe80::1]',
  '[2002:7f00:1::]',
]

for (const host of [...spellings, ...addresses]) {
  test(`http://${host}/ is blocked and nothing is dialled or resolved`, async () => {
    const { get, dialled, resolved } = subject()
    await assert.rejects(get(`http://${host}/`), { code: 'blocked_address' })
    assert.deepEqual([dialled, resolved], [[], []])
  })
}

test('localhost, with and without its dot, is blocked by what it resolves to', async () => {
  const { get, dialled, resolved } = subject({ names: { localhost: ['127.0.0.1', '::1'] } })
  await assert.rejects(get('http://localhost/'), { code: 'blocked_address' })
  await assert.rejects(get('http://localhost./'), { code: 'blocked_address' })
  assert.deepEqual(dialled, [])
  assert.deepEqual(resolved, ['localhost', 'localhost'])
})

test('the system resolver is used when none is given, and localhost is blocked', async () => {
  const dialled: unknown[] = []
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch' },
    {
      clock: systemClock,
      instruments: createInstruments({ function: 'test' }),
      dial: (target) => void dialled.push(target),
    },
  )
  const { signal } = new AbortController()
  await assert.rejects(outbound.request({ url: 'http://localhost/' }, { signal }), { code: 'blocked_address' })
  assert.deepEqual(dialled, [])
})

test('one private address among public ones blocks the request', async () => {
  const { get, dialled } = subject({ names: { 'mixed.test': [publicAddress, '10.0.0.1'] } })
  await assert.rejects(get('http://mixed.test/'), { code: 'blocked_address' })
  assert.deepEqual(dialled, [])
})

test('a resolver that answers public first and private afterwards gets one question and no private connection', async (t) => {
  const server = await serve(t, (_request, response) => response.end('ok'))
  const answers = [[publicAddress], ['127.0.0.1']]
  const { get, dialled, resolved } = subject({
    port: server.port,
    names: { 'rebinding.test': () => answers.shift() ?? [] },
  })
  await get('http://rebinding.test/')
  assert.deepEqual(resolved, ['rebinding.test'])
  assert.deepEqual(
    dialled.map(({ hostname }) => hostname),
    [publicAddress],
  )
  await assert.rejects(get('http://rebinding.test/'), { code: 'blocked_address' })
})

for (const url of [
  'file:///etc/passwd',
  'gopher://public.test/',
  'data:,x',
  'http://u:p@public.test/',
  'http://public.test:22/',
  'http://public.test:6379/',
]) {
  test(`${url} is blocked before anything is resolved`, async () => {
    const { get, dialled, resolved } = subject()
    await assert.rejects(get(url), { code: 'blocked_url' })
    assert.deepEqual([dialled, resolved], [[], []])
  })
}

test('an allow-listed pair may be private and on any port, and nothing else may', async (t) => {
  const server = await serve(t, (_request, response) => response.end('inside'))
  const { get } = subject({ port: server.port, options: { allow: [`127.0.0.1:${server.port}`] } })
  assert.equal((await get(server.url)).body.toString(), 'inside')
  await assert.rejects(get('http://127.0.0.1/'), { code: 'blocked_address' })
  await assert.rejects(get(`http://127.0.0.2:${server.port}/`), { code: 'blocked_url' })
})

test('a second address is tried when the first refuses', async (t) => {
  const server = await serve(t, (_request, response) => response.end('ok'))
  const tried: string[] = []
  const open = buildConnector({ timeout: 1_000, allowH2: false })
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch' },
    {
      clock: systemClock,
      instruments: createInstruments({ function: 'test' }),
      resolve: async () => ['8.8.8.8', '9.9.9.9'],
      dial: (target, callback) => {
        tried.push(target.hostname)
        if (tried.length === 1) return callback(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), null)
        open({ ...target, hostname: '127.0.0.1', port: String(server.port) }, callback)
      },
    },
  )
  await outbound.request({ url: 'http://two.test/' }, { signal: new AbortController().signal })
  assert.deepEqual(tried, ['8.8.8.8', '9.9.9.9'])
})

test('over TLS the name, not the address, is what the server is asked for', async (t) => {
  const hellos: Buffer[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', (hello) => {
      hellos.push(hello)
      socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { get, dialled } = subject({ port: (server.address() as AddressInfo).port })
  await assert.rejects(get('https://public.test/'), { code: 'dependency_failed' })
  assert.deepEqual(
    dialled.map(({ hostname, port, servername }) => [hostname, port, servername]),
    [[publicAddress, '443', 'public.test']],
  )
  assert.ok(hellos[0]?.includes('public.test') === true, 'the ClientHello carries the name')
})

for (const name of ['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Proxy-Authorization']) {
  test(`the header ${name} is the client's own`, async () => {
    const { get, dialled } = subject()
    await assert.rejects(get({ url: 'http://public.test/', headers: { [name]: '1' } }), { code: 'invalid_request' })
    assert.deepEqual(dialled, [])
  })
}

test('a line break in a header value is refused', async () => {
  const { get } = subject()
  await assert.rejects(get({ url: 'http://public.test/', headers: { 'x-a': 'b\r\nx-c: d' } }), {
    code: 'invalid_request',
  })
})

test('the caller cancels with its own reason', async (t) => {
  const caller = new AbortController()
  const server = await serve(t, () => caller.abort(new SluiceError('lease_lost', 'gone')))
  await assert.rejects(subject({ port: server.port }).get('http://public.test/', caller.signal), { code: 'lease_lost' })
})

test('a name without an address is a failure of the dependency', async () => {
  await assert.rejects(subject({ names: { 'nowhere.test': [] } }).get('http://nowhere.test/'), {
    code: 'dependency_failed',
  })
})
