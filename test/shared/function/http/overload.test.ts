// What an HTTP function does with more than it can do, and with clients that are slow on purpose. Real sockets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { defineHttpFunction, type Routes } from '../../../../shared/function/index.ts'
import { createHttpFunctionServer } from '../../../../shared/function/http/http-function-server.ts'
import type { Guard } from '../../../../shared/function/receiver/overload-guard.ts'
import { httpLimits, type ServerLimits } from '../../../../shared/function/server-limits.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd, until } from '../../../support/index.ts'
import { exchange, get, openConnection, post } from '../raw-http.ts'

const limit = { timeout: 30_000 }
const json = { 'content-type': 'application/json' }
const concurrency = 3

async function start(t: TestContext, limits: Partial<ServerLimits> = {}) {
  const waiting: (() => void)[] = []
  let trouble: Guard | undefined
  let parsed = 0
  const routes: Routes = (app, context) => {
    app.post('/work', async (_request, reply) => {
      parsed += 1
      await new Promise<void>((resolve) => waiting.push(resolve))
      return reply.send({})
    })
    app.get('/stream', (request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200).flushHeaders()
      context.openStream(request, () => void reply.raw.end())
    })
    app.get('/large', (_request, reply) => reply.send('x'.repeat(32 * 1_048_576)))
    app.get('/v1/admin/lanes', (_request, reply) => reply.send({ lanes: [] }))
  }
  const log = createLogger({ function: 'busy', level: 'silent' })
  const instruments = createInstruments({ function: 'busy' })
  const server = createHttpFunctionServer(
    defineHttpFunction({
      name: 'busy',
      purpose: 'Tests overload',
      produces: [],
      needs: [],
      scale: { min: 0, max: 1, concurrency },
    }),
    { host: '127.0.0.1', port: 0, limits: { ...httpLimits, ...limits } },
    {
      clock: systemClock,
      log,
      instruments,
      guard: { sheds: () => trouble },
      health: { answer: () => ({ status: 200, body: '{"status":"ready"}' }) },
      routes,
      context: { log, draining: new AbortController().signal, transaction: () => Promise.reject(new Error('none')) },
    },
  )
  await server.start(new AbortController().signal)
  atEnd(t, () => server.stop())
  return {
    port: server.port(),
    server,
    waiting,
    parsed: () => parsed,
    letGo: () => waiting.splice(0).forEach((resolve) => resolve()),
    troubleIs: (guard: Guard | undefined) => (trouble = guard),
    shed: async () => (await instruments.shed.get()).values.map(({ labels, value }) => `${labels.reason} ${value}`),
    running: async () => (await instruments.admissionRunning.get()).values[0]?.value,
  }
}

const work = post(json, '{}', '/work')

test('beyond its concurrency it refuses before the body has come; health and operators get in', limit, async (t) => {
  const busy = await start(t)
  const running = Array.from({ length: concurrency }, () => exchange(busy.port, work))
  await until('all places are taken', () => busy.waiting.length === concurrency)
  assert.equal(await busy.running(), concurrency)

  const connection = await openConnection(busy.port)
  connection.write(`POST /work HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`)
  const refused = await connection.answer()
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
  assert.equal((JSON.parse(refused.body) as { code: string }).code, 'overloaded')
  connection.socket.destroy()
  assert.equal((await exchange(busy.port, get('/ready'))).status, 200)
  assert.equal((await exchange(busy.port, get('/v1/admin/lanes'))).status, 200)
  assert.equal(busy.parsed(), concurrency)
  assert.deepEqual(await busy.shed(), ['queue 1'])

  busy.letGo()
  assert.deepEqual(new Set((await Promise.all(running)).map(({ status }) => status)), new Set([200]))
  const next = exchange(busy.port, work)
  await until('there is room again', () => busy.waiting.length === 1)
  busy.letGo()
  assert.equal((await next).status, 200)
})

test('open streams take no place from requests', limit, async (t) => {
  const busy = await start(t)
  for (let streams = 0; streams < concurrency + 2; streams += 1) {
    const connection = await openConnection(busy.port)
    connection.write(get('/stream'))
    await once(connection.socket, 'data')
    t.after(() => connection.socket.destroy())
  }
  const running = exchange(busy.port, work)
  await until('it got in', () => busy.waiting.length === 1)
  busy.letGo()
  assert.equal((await running).status, 200)
})

test('a process in trouble takes nothing new until it is well; health and operators get in', limit, async (t) => {
  const busy = await start(t)
  for (const guard of ['event-loop', 'heap'] as const) {
    busy.troubleIs(guard)
    assert.equal((await exchange(busy.port, work)).status, 503)
    assert.equal((await exchange(busy.port, get('/live'))).status, 200)
    assert.equal((await exchange(busy.port, get('/v1/admin/lanes'))).status, 200)
  }
  assert.deepEqual(await busy.shed(), ['event-loop 1', 'heap 1'])
  busy.troubleIs(undefined)
  const running = exchange(busy.port, work)
  await until('it got in', () => busy.waiting.length === 1)
  busy.letGo()
  assert.equal((await running).status, 200)
})

const impatient = { headTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckMs: 50 }

test(
  '17 a slow head, a slow body and a hundred of them are answered 408 and closed, while others are served',
  limit,
  async (t) => {
    const busy = await start(t, impatient)
    const slow = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const connection = await openConnection(busy.port)
        connection.write(
          index % 2 === 0
            ? 'GET /v1/admin/lanes HTTP/1.1\r\nhost: '
            : 'POST /work HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
        )
        return connection
      }),
    )
    assert.equal((await exchange(busy.port, get('/v1/admin/lanes'))).status, 200)
    const answers = await Promise.all(slow.map((connection) => connection.answer()))
    assert.deepEqual(new Set(answers.map(({ status, closed }) => `${status} ${closed}`)), new Set(['408 true']))
    assert.equal(busy.parsed(), 0)
  },
)

test('a client that does not read its answer is cut off', limit, async (t) => {
  const busy = await start(t, { stalledMs: 300 })
  const connection = await openConnection(busy.port)
  connection.socket.pause()
  connection.write(get('/large'))
  await until('its place is taken', async () => (await busy.running()) === 1)
  await until('its place is free', async () => (await busy.running()) === 0)
  connection.socket.destroy()
})
