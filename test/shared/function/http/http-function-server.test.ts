// Limits of the HTTP server that need their own numbers, or more than one request.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defineHttpFunction, type Routes } from '../../../../shared/function/index.ts'
import { createHttpFunctionServer } from '../../../../shared/function/http/http-function-server.ts'
import { httpLimits, type ServerLimits } from '../../../../shared/function/server-limits.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd } from '../../../support/index.ts'
import { exchange, openConnection, post } from '../raw-http.ts'

const limit = { timeout: 20_000 }
const definition = defineHttpFunction({
  name: 'limits',
  purpose: 'Tests limits',
  produces: [],
  needs: [],
  scale: { min: 0, max: 1, concurrency: 10 },
})
const routes: Routes = (app) => {
  app.post('/echo', (request, reply) => reply.send({ bytes: JSON.stringify(request.body).length }))
}

function create(limits: Partial<ServerLimits> = {}) {
  const log = createLogger({ function: 'limits', level: 'silent' })
  return createHttpFunctionServer(
    definition,
    { host: '127.0.0.1', port: 0, limits: { ...httpLimits, ...limits } },
    {
      clock: systemClock,
      log,
      instruments: createInstruments({ function: 'limits' }),
      health: { answer: () => undefined },
      routes,
      context: { log, draining: new AbortController().signal, transaction: () => Promise.reject(new Error('none')) },
    },
  )
}

async function start(t: TestContext, limits?: Partial<ServerLimits>) {
  const server = create(limits)
  await server.start(new AbortController().signal)
  atEnd(t, () => server.stop())
  return server
}

const json = { 'content-type': 'application/json' }
const text = (bytes: number): string => JSON.stringify('a'.repeat(bytes - 2))

test('4 a body at the limit passes, one byte more is 413 and closes', limit, async (t) => {
  const server = await start(t, { bodyBytes: 1_000 })
  const answers = []
  for (const bytes of [999, 1_000, 1_001]) answers.push(await exchange(server.port(), post(json, text(bytes), '/echo')))
  assert.deepEqual(
    answers.map(({ status, closed }) => [status, closed]),
    [
      [200, false],
      [200, false],
      [413, true],
    ],
  )
})

test('4 a chunked body that grows past the limit is cut off there', limit, async (t) => {
  const server = await start(t, { bodyBytes: 1_000 })
  const connection = await openConnection(server.port())
  connection.write(
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  )
  for (let n = 0; n < 3; n += 1) connection.write(`1f4\r\n${'1'.repeat(500)}\r\n`)
  const answer = await connection.answer()
  assert.deepEqual([answer.status, answer.closed], [413, true])
})

test('15 a head just under 16 KiB passes', limit, async (t) => {
  const server = await start(t)
  assert.equal((await exchange(server.port(), post({ ...json, x: 'a'.repeat(15_800) }, '1', '/echo'))).status, 200)
})

const slow = { headTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckMs: 50 }

test('17 a slow head and a slow body are answered 408 and closed, while others are served', limit, async (t) => {
  const server = await start(t, slow)
  const [head, body] = await Promise.all([openConnection(server.port()), openConnection(server.port())])
  head.write('POST /echo HTTP/1.1\r\nhost: ')
  body.write(post({ ...json, 'content-length': '100' }, '1', '/echo'))
  assert.equal((await exchange(server.port(), post(json, '1', '/echo'))).status, 200)
  const answers = await Promise.all([head.answer(), body.answer()])
  assert.deepEqual(
    answers.map(({ status, closed }) => [status, closed]),
    [
      [408, true],
      [408, true],
    ],
  )
})

test('stop before start, and twice, is safe', limit, async (t) => {
  const server = await start(t)
  await Promise.all([server.stop(), server.stop()])
  assert.equal(server.health().status, 'down')
  await create().stop()
})
