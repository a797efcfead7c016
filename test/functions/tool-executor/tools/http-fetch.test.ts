import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { createUntrustedOutbound, type UntrustedOutboundDeps } from '../../../../shared/resilience/index.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { createToolbox, type ToolOutcome } from '../../../../functions/tool-executor/toolbox.ts'
import { fetchedTextMax, httpFetch } from '../../../../functions/tool-executor/tools/http-fetch.ts'
import { atEnd } from '../../../support/index.ts'

const instruments = createInstruments({ function: 'test' })

interface FetchOptions extends Pick<UntrustedOutboundDeps, 'resolve'> {
  readonly allow?: readonly string[]
}

function fetch(t: TestContext, url: string, { allow = [], ...deps }: FetchOptions = {}): Promise<ToolOutcome> {
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch', allow },
    { clock: systemClock, instruments, ...deps },
  )
  const log = createLogger({ function: 'test', level: 'silent' })
  const toolbox = createToolbox([httpFetch], { clock: systemClock, instruments, log, outbound })
  atEnd(t, () => toolbox.stop())
  return toolbox.run(httpFetch, {
    args: { url },
    tenant: 'local',
    idempotencyKey: 'k',
    signal: new AbortController().signal,
  })
}

async function site(
  t: TestContext,
  listener: RequestListener,
): Promise<{ url: string; authority: string; hits: () => number }> {
  let hits = 0
  const server = createServer((request, response) => {
    hits += 1
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${authority}`, authority, hits: () => hits }
}

const blockedUrls = [
  'http://127.0.0.1/',
  'http://localhost/',
  'http://0.0.0.0/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://224.0.0.1/',
  'http://[::1]/',
  'http://[fc00::1]/',
  'http://[fe80::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://user:hunter2@example.com/',
  'http://example.com:22/',
  'http://example.com:6379/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'data:text/plain,hi',
  'not a url',
]
for (const url of blockedUrls) {
  test(`${url} is blocked`, async (t) => {
    const outcome = await fetch(t, url)
    assert.equal(outcome.status, 'blocked')
    assert.match(outcome.error.code, /^blocked_(address|url)$/)
    assert.doesNotMatch(outcome.error.message, /hunter2/)
  })
}

test('a name with one private address among public ones is blocked', async (t) => {
  const outcome = await fetch(t, 'http://mixed.example/', { resolve: async () => ['93.184.216.34', '127.0.0.1'] })
  assert.equal(outcome.status, 'blocked')
})

test('W-25: a redirect to a private address is blocked, and nothing arrives there', async (t) => {
  const inner = await site(t, (_request, response) => response.end('secret'))
  const outer = await site(t, (_request, response) => response.writeHead(302, { location: inner.url }).end())
  const outcome = await fetch(t, outer.url, { allow: [outer.authority] })
  assert.equal(outcome.status, 'blocked')
  assert.deepEqual([outer.hits(), inner.hits()], [1, 0])
})

test('a page arrives as text, marked as a stranger’s', async (t) => {
  const { url, authority } = await site(t, (_request, response) => {
    response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Not here</h1><script>x()</script>')
  })
  assert.deepEqual(await fetch(t, `${url}/page`, { allow: [authority] }), {
    status: 'succeeded',
    result: {
      url: `${url}/page`,
      status: 404,
      content_type: 'text/html; charset=utf-8',
      text: 'Not here',
      truncated: false,
      untrusted: true,
    },
  })
})

test('the declared charset is used, an unknown one is read as UTF-8', async (t) => {
  const { url, authority } = await site(t, (request, response) => {
    const charset = request.url === '/latin' ? 'iso-8859-1' : 'klingon'
    response.writeHead(200, { 'content-type': `text/plain; charset="${charset}"` })
    response.end(Buffer.from('é', charset === 'klingon' ? 'utf8' : 'latin1'))
  })
  for (const path of ['/latin', '/other']) {
    const outcome = await fetch(t, `${url}${path}`, { allow: [authority] })
    assert.ok(outcome.status === 'succeeded' && (outcome.result as { text: string }).text === 'é')
  }
})

test('text is cut at the limit, and bytes that are not text are only counted', async (t) => {
  const { url, authority } = await site(t, (request, response) => {
    const binary = request.url === '/binary'
    response.writeHead(200, { 'content-type': binary ? 'image/png' : 'text/plain' })
    response.end(binary ? Buffer.alloc(10) : 'x'.repeat(fetchedTextMax + 1))
  })
  const long = await fetch(t, `${url}/text`, { allow: [authority] })
  assert.ok(long.status === 'succeeded')
  const { text, truncated } = long.result as { text: string; truncated: boolean }
  assert.deepEqual([text.length, truncated], [fetchedTextMax, true])
  const binary = await fetch(t, `${url}/binary`, { allow: [authority] })
  assert.ok(
    binary.status === 'succeeded' && (binary.result as { text: string }).text === '(10 bytes that are not text)',
  )
})

test('a body over the limit and a host that is not there end as failed', async (t) => {
  const { url, authority } = await site(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(Buffer.alloc(3 * 1_024 * 1_024, 'x'))
  })
  const large = await fetch(t, url, { allow: [authority] })
  assert.ok(large.status === 'failed' && large.error.code === 'response_too_large')
  const gone = await fetch(t, 'http://127.0.0.1:9/', { allow: ['127.0.0.1:9'] })
  assert.ok(gone.status === 'failed' && gone.error.code === 'dependency_failed')
})
