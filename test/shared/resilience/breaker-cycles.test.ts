// A breaker in front of a real server that dies in several ways and heals, a hundred times. Counted in calls instead of seconds:
// at 50 calls a second, two seconds are a hundred calls.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createBreaker, createOutbound } from '../../../shared/resilience/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, until } from '../../support/index.ts'

const cycles = 100
const resetMs = 40
const callsInTwoSeconds = 100

type State = 'well' | 'refusing' | 'failing' | 'silent' | 'unwanted'
const statuses = { well: 200, failing: 500, unwanted: 404 } as const

/** Silence takes the time limit of each call, so it comes more rarely. */
const deathOf = (cycle: number): State => (cycle % 20 === 7 ? 'silent' : cycle % 2 === 0 ? 'refusing' : 'failing')

/** A server whose state the test decides, and that counts what reaches it. */
async function startDependency(t: TestContext) {
  let state: State = 'well'
  let reached = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((request, response) => {
    reached += 1
    request.resume()
    if (state === 'refusing') request.socket.destroy()
    else if (state !== 'silent') response.writeHead(statuses[state]).end('{}')
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    reached: () => reached,
    become: (next: State) => {
      state = next
    },
  }
}

async function subject(t: TestContext) {
  const dependency = await startDependency(t)
  const instruments = createInstruments({ function: 'test' })
  const outbound = createOutbound(
    { dependency: 'model', connectMs: 1_000, headersMs: 10_000, bodyIdleMs: 10_000 },
    { clock, instruments },
  )
  // A minute of successes is in its window: without a rule for failures in a row it would take half a minute to open.
  const limits = { timeoutMs: 1_000, capacity: 50, windowMs: 60_000, resetMs }
  const breaker = createBreaker({ dependency: 'model', ...limits }, { clock, instruments })
  atEnd(t, () => outbound.stop())
  atEnd(t, () => breaker.stop())
  const call = async (signal?: AbortSignal): Promise<string> => {
    const options = signal === undefined ? {} : { signal }
    try {
      await breaker.run(async (run) => {
        const answer = await outbound.request({ method: 'GET', url: dependency.url }, { signal: run.signal })
        await answer.discard()
        if (answer.status >= 500) throw new SluiceError('dependency_failed', `${answer.status}`)
        if (answer.status >= 400) throw new SluiceError('invalid_request', `${answer.status}`)
      }, options)
      return 'ok'
    } catch (error) {
      assert.ok(error instanceof SluiceError, String(error))
      if (error.code === 'circuit_open') assert.ok((error.retryAfterMs ?? Infinity) <= resetMs)
      return error.code
    }
  }
  return { dependency, breaker, instruments, call }
}

test(
  'a hundred times: opens within two seconds, probes once a window, and closes at the first answer',
  { timeout: 120_000 },
  async (t) => {
    const { dependency, breaker, instruments, call } = await subject(t)
    for (let before = 0; before < 300; before += 1) assert.equal(await call(), 'ok')

    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const death = deathOf(cycle)
      dependency.become(death)
      let calls = 0
      while (breaker.state() === 'closed') {
        // What is silent is asked by several at once, as it would be by then.
        const atOnce = death === 'silent' ? 10 : 1
        await Promise.all(Array.from({ length: atOnce }, () => call()))
        calls += atOnce
        assert.ok(calls <= callsInTwoSeconds, `cycle ${cycle}: ${death}, and still closed after ${calls} calls`)
      }

      // Callers go on, as fast as they can and several at once, until two probes have failed.
      let windows = 0
      const counting = breaker.onChange((state) => {
        if (state === 'half-open') windows += 1
      })
      const before = dependency.reached()
      await until(
        'two probes failed',
        async () => {
          const outcomes = await Promise.all([call(), call(), call()])
          assert.ok(!outcomes.includes('ok'))
          return windows >= 2 && breaker.state() === 'open'
        },
        { everyMs: 1 },
      )
      assert.ok(
        dependency.reached() - before <= windows,
        `cycle ${cycle}: ${dependency.reached() - before} calls in ${windows} windows`,
      )

      // Somebody's probe is cancelled: it says nothing about the dependency, and must not keep the breaker half open.
      if (cycle % 5 === 0) {
        dependency.become('silent')
        await until('half open', () => breaker.state() === 'half-open', { everyMs: 1 })
        const leaving = new AbortController()
        const cancelled = call(leaving.signal)
        leaving.abort(new SluiceError('aborted', 'no longer wanted'))
        assert.equal(await cancelled, 'aborted')
      }

      dependency.become('well')
      const healedAt = dependency.reached()
      await until('it closes', async () => (await call()) === 'ok', { everyMs: 1 })
      counting.stop()
      assert.equal(breaker.state(), 'closed')
      assert.equal(dependency.reached() - healedAt, 1, `cycle ${cycle}: closed by the first call that got through`)
      assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => call()))), new Set(['ok']))
    }
    const { values } = await instruments.breakerOpenings.get()
    assert.ok((values[0]?.value ?? 0) >= cycles * 3, 'each death opened it, and each failed probe again')
  },
)

test('ten thousand mistakes of callers never open it', { timeout: 120_000 }, async (t) => {
  const { dependency, breaker, instruments, call } = await subject(t)
  dependency.become('unwanted')
  const callers = Array.from({ length: 20 }, async () => {
    for (let mistake = 0; mistake < 500; mistake += 1) assert.equal(await call(), 'invalid_request')
  })
  await Promise.all(callers)
  assert.equal(dependency.reached(), 10_000)
  assert.equal(breaker.state(), 'closed')
  assert.equal((await instruments.breakerOpenings.get()).values[0]?.value, 0)
})
