// What an answer may cost: bytes as they come and inflated, and time over all hops.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { createUntrustedOutbound } from '../../../../shared/resilience/outbound/untrusted-outbound.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { subject, serve } from './untrusted-subject.ts'

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
