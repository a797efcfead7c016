import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createHttpMemory, type Memory } from '../../../shared/memory/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, startLoopbackServer, type LoopbackServer } from '../../support/index.ts'

const signal = new AbortController().signal
const call = { tenant: 'local', idempotencyKey: 'i1', signal }

async function startMemory(
  t: TestContext,
  answer: RequestListener,
): Promise<{ readonly memory: Memory; readonly server: LoopbackServer }> {
  const server = await startLoopbackServer(t, answer)
  const options = { url: server.url, token: secret('a-token'), recallTimeoutMs: 200, rememberTimeoutMs: 300 }
  const memory = createHttpMemory(options, { clock, instruments: createInstruments({ function: 'test' }) })
  await memory.start(signal)
  atEnd(t, () => memory.stop())
  return { memory, server }
}

const answering =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body))
  }

test('a request names tenant, token and idempotency key', async (t) => {
  const { memory, server } = await startMemory(t, answering(201, '{"key":"k","position":"1@k"}'))
  assert.deepEqual(await memory.remember({ content: 'x' }, call), { key: 'k', position: '1@k' })
  const [request] = server.requests
  assert.deepEqual(
    [request?.method, request?.url, request?.headers['sluice-tenant'], request?.headers['authorization']],
    ['POST', '/v1/memory/remember', 'local', 'Bearer a-token'],
  )
  assert.equal(request?.headers['idempotency-key'], 'i1')
})

test('only an answer that speaks of the memory itself is final', async (t) => {
  for (const [status, retryable] of [
    [400, false],
    [413, false],
    [422, false],
    [401, true],
    [403, true],
    [404, true],
    [409, true],
    [429, true],
    [500, true],
    [503, true],
  ] as const) {
    const { memory } = await startMemory(t, answering(status, '{"code":"internal"}'))
    await assert.rejects(memory.remember({ content: 'x' }, call), (error: Error & { retryable: boolean }) => {
      assert.equal(error.retryable, retryable, String(status))
      return true
    })
  }
})

test('a Retry-After is handed on', async (t) => {
  const { memory } = await startMemory(t, answering(503, '{}', { 'retry-after': '7' }))
  await assert.rejects(memory.remember({ content: 'x' }, call), { code: 'dependency_failed', retryAfterMs: 7_000 })
})

test('an answer that is not the protocol is an error, not memories', async (t) => {
  for (const body of ['', 'garbage', '[]', '{}', '{"memories":1}', 'null']) {
    const { memory } = await startMemory(t, answering(200, body))
    await assert.rejects(memory.recall({}, call), { code: 'dependency_failed' }, body)
  }
})

test('every call has its limit, and a service that keeps hanging is left alone for a while', async (t) => {
  const { memory, server } = await startMemory(t, (request) => request.resume())
  const begun = performance.now()
  await assert.rejects(memory.recall({}, call), { code: 'dependency_timeout' })
  assert.ok(performance.now() - begun < 1_000)
  await assert.rejects(memory.remember({ content: 'x' }, call), { code: 'dependency_timeout' })
  for (let at = 0; at < 8; at += 1) await assert.rejects(memory.recall({}, call))
  const asked = server.requests.length
  await assert.rejects(memory.recall({}, call), { code: 'circuit_open' })
  assert.equal(server.requests.length, asked)
  assert.equal(memory.health().status, 'up') // writes are judged by themselves
})

test('the caller may give up', async (t) => {
  const { memory } = await startMemory(t, (request) => request.resume())
  const leaving = new AbortController()
  const answer = memory.recall({}, { ...call, signal: leaving.signal })
  leaving.abort()
  await assert.rejects(answer)
})
