import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { buildConnector } from 'undici'
import {
  createUntrustedOutbound,
  type UntrustedOutboundOptions,
  type UntrustedRequest,
} from '../../../../shared/resilience/outbound/untrusted-outbound.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd, startLoopbackServer } from '../../../support/index.ts'

// Nothing here leaves the machine: names resolve by a table, and every connection, whatever address it was meant for, is
// opened to the test's own server. What is asserted is the address it was meant for.

const publicAddress = '93.184.215.14'

interface World {
  /** host → addresses; a function is asked each time. Default: one public address. */
  readonly names?: Readonly<Record<string, readonly string[] | (() => readonly string[])>>
  readonly port?: number
  readonly options?: Partial<UntrustedOutboundOptions>
}

function subject({ names = {}, port = 9, options = {} }: World = {}) {
  const dialled: buildConnector.Options[] = []
  const resolved: string[] = []
  const open = buildConnector({ timeout: 1_000, allowH2: false })
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch', ...options },
    {
      clock: systemClock,
      instruments: createInstruments({ function: 'test' }),
      resolve: async (host) => {
        resolved.push(host)
        const entry = names[host] ?? [publicAddress]
        return typeof entry === 'function' ? entry() : entry
      },
      dial: (target, callback) => {
        dialled.push(target)
        open({ ...target, hostname: '127.0.0.1', port: String(port) }, callback)
      },
    },
  )
  const get = (request: string | UntrustedRequest, signal: AbortSignal = new AbortController().signal) =>
    outbound.request(typeof request === 'string' ? { url: request } : request, { signal })
  return { get, dialled, resolved }
}

const serve = (t: TestContext, answer: RequestListener) => startLoopbackServer(t, answer)

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

test('a redirect is followed and its target checked like the first', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/a') response.writeHead(302, { location: 'http://second.test/b' }).end()
    else response.end('there')
  })
  const { get, dialled } = subject({ port: server.port, names: { 'second.test': ['8.8.4.4'] } })
  const answer = await get('http://first.test/a')
  assert.deepEqual([answer.body.toString(), answer.url, answer.redirects], ['there', 'http://second.test/b', 1])
  assert.deepEqual(
    dialled.map(({ hostname }) => hostname),
    [publicAddress, '8.8.4.4'],
  )
})

const redirects: readonly (readonly [string, string])[] = [
  ['http://127.0.0.1/', 'blocked_address'],
  ['http://169.254.169.254/latest/meta-data/', 'blocked_address'],
  ['http://inside.test/', 'blocked_address'],
  ['//[::1]/', 'blocked_address'],
  ['file:///etc/passwd', 'blocked_url'],
  ['gopher://public.test/', 'blocked_url'],
  ['http://public.test:6379/', 'blocked_url'],
  ['http://user:pass@public.test/', 'blocked_url'],
  ['http://', 'blocked_url'],
]

for (const [location, code] of redirects) {
  test(`a redirect to ${location} is ${code}, and only the first host was dialled`, async (t) => {
    const server = await serve(t, (_request, response) => response.writeHead(302, { location }).end())
    const { get, dialled } = subject({ port: server.port, names: { 'inside.test': ['10.0.0.7'] } })
    await assert.rejects(get('http://public.test/'), { code })
    assert.equal(dialled.length, 1)
  })
}

test('three redirects are followed, a fourth is not', async (t) => {
  const server = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1))
    if (left === 0) response.end('end')
    else response.writeHead(301, { location: `/${left - 1}` }).end()
  })
  const { get } = subject({ port: server.port })
  assert.equal((await get('http://public.test/3')).redirects, 3)
  await assert.rejects(get('http://public.test/4'), { code: 'blocked_url' })
})

test('what was meant for one host is not sent to another', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.headers.host === 'first.test') response.writeHead(307, { location: 'http://second.test/' }).end()
    else response.end()
  })
  const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Api-Key': 'k', 'Accept-Language': 'es' }
  await subject({ port: server.port }).get({ url: 'http://first.test/', headers })
  const [first, second] = server.requests
  assert.equal(first?.headers.authorization, 'Bearer x')
  assert.equal(first?.headers['x-api-key'], 'k')
  assert.deepEqual(
    ['authorization', 'cookie', 'x-api-key'].map((name) => second?.headers[name]),
    [undefined, undefined, undefined],
  )
  assert.equal(second?.headers['accept-language'], 'es')
})

test('within one origin a redirect keeps the headers, and 303 turns POST into GET without a body', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/form') response.writeHead(303, { location: '/done' }).end()
    else response.end()
  })
  const request = {
    url: 'http://public.test/form',
    method: 'POST',
    headers: { authorization: 'x', 'content-type': 'a/b' },
    body: 'data',
  } as const
  await subject({ port: server.port }).get(request)
  const second = server.requests[1]
  assert.deepEqual(
    [second?.method, second?.headers.authorization, second?.headers['content-type'], second?.headers['content-length']],
    ['GET', 'x', undefined, undefined],
  )
})

test('a body is not carried to another origin', async (t) => {
  const server = await serve(t, (_request, response) =>
    response.writeHead(307, { location: 'http://second.test/' }).end(),
  )
  const { get, dialled } = subject({ port: server.port })
  await assert.rejects(get({ url: 'http://first.test/', method: 'POST', body: 'secret' }), { code: 'blocked_url' })
  assert.equal(dialled.length, 1)
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

test('a body of exactly the limit passes, one byte more does not', async (t) => {
  const server = await serve(t, (request, response) => response.end(Buffer.alloc(Number(request.url?.slice(1)))))
  const { get } = subject({ port: server.port, options: { maxBytes: 1_000 } })
  assert.equal((await get('http://public.test/999')).body.length, 999)
  assert.equal((await get('http://public.test/1000')).body.length, 1_000)
  await assert.rejects(get('http://public.test/1001'), { code: 'response_too_large' })
})

test('an endless body is cut at 2 MiB', async (t) => {
  let sent = 0
  const server = await serve(t, (_request, response) => {
    const chunk = Buffer.alloc(65_536)
    const more = (): void => {
      while (!response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
    }
    more()
  })
  await assert.rejects(subject({ port: server.port }).get('http://public.test/'), { code: 'response_too_large' })
  assert.ok(sent < 32 * 1_024 * 1_024, `${sent} bytes were sent before the end`)
})

test('a gzip bomb is cut at the inflated limit, also as an error page', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024))
  const server = await serve(t, (request, response) => {
    response.writeHead(request.url === '/error' ? 500 : 200, { 'content-encoding': 'gzip' }).end(bomb)
  })
  const { get } = subject({ port: server.port })
  await assert.rejects(get('http://public.test/'), { code: 'response_too_large' })
  await assert.rejects(get('http://public.test/error'), { code: 'response_too_large' })
})

test('a gzipped page is inflated', async (t) => {
  const server = await serve(t, (_request, response) =>
    response.setHeader('content-encoding', 'gzip').end(gzipSync('hello')),
  )
  assert.equal((await subject({ port: server.port }).get('http://public.test/')).body.toString(), 'hello')
})

test('a head of one megabyte is refused', async (t) => {
  const server = await serve(t, (_request, response) => {
    response.socket?.write(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(1_048_576)}\r\ncontent-length: 0\r\n\r\n`)
  })
  await assert.rejects(subject({ port: server.port }).get('http://public.test/'), { code: 'response_too_large' })
})

test('a body that drips is cut when the total time is up, redirects included', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/') {
      setTimeout(() => response.writeHead(302, { location: '/drip' }).end(), 100)
      return
    }
    const drip = setInterval(() => response.write('.'), 20)
    response.once('close', () => clearInterval(drip))
  })
  const begun = performance.now()
  const { get } = subject({ port: server.port, options: { totalMs: 400 } })
  await assert.rejects(get('http://public.test/'), { code: 'dependency_timeout' })
  const tookMs = performance.now() - begun
  assert.ok(tookMs >= 390 && tookMs < 2_000, `took ${tookMs} ms`)
})

test('a server that never answers and a resolver that never does are both cut', async (t) => {
  const server = await serve(t, () => {})
  await assert.rejects(subject({ port: server.port, options: { totalMs: 100 } }).get('http://public.test/'), {
    code: 'dependency_timeout',
  })
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch', totalMs: 50 },
    { clock: systemClock, instruments: createInstruments({ function: 'test' }), resolve: () => new Promise(() => {}) },
  )
  const { signal } = new AbortController()
  await assert.rejects(outbound.request({ url: 'http://public.test/' }, { signal }), { code: 'dependency_timeout' })
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
