// Whether a process is alive, as its platform sees it: an event loop that is blocked, a receiver that is jammed, a dependency that
// hangs. Real processes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDatabase, proxyTo, until } from '../../../support/index.ts'
import { startFunction, type FunctionProcess } from '../function-process.ts'
import { openConnection, post } from '../raw-http.ts'
import { message, messageHeaders } from '../receiver/start-event-server.ts'

const limit = { timeout: 120_000 }
const event = (id: string, text: string) => post(messageHeaders({ 'ce-id': id }), message(text))

async function ask(child: FunctionProcess, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(`http://127.0.0.1:${child.operationsPort}${path}`)
  return { status: answer.status, body: await answer.text() }
}

async function heartbeatOf(child: FunctionProcess): Promise<number> {
  const { body } = await ask(child, '/metrics')
  return Number(/^worker_last_heartbeat_timestamp\{.*\} (\S+)/m.exec(body)?.[1])
}

/** Blocks the event loop of the process and resolves when it does. */
async function block(child: FunctionProcess, ms: number): Promise<{ over(): Promise<unknown> }> {
  const connection = await openConnection(child.port)
  connection.write(event('block', `block ${ms}`))
  await until('nobody is answered', async () => {
    const signal = AbortSignal.timeout(300)
    return fetch(`http://127.0.0.1:${child.operationsPort}/live`, { signal }).then(
      async (answer) => {
        await answer.body?.cancel()
        return false
      },
      () => true,
    )
  })
  return { over: () => connection.answer() }
}

test('a process blocked for 5 s says so at /live for as long as its limit, then it is well', limit, async (t) => {
  const child = await startFunction(t, 'stateless-echo', { SLUICE_LOOP_BLOCKED_MS: '2000' })
  assert.equal((await ask(child, '/live')).status, 200)
  const blocked = await block(child, 5_000)
  const first = await ask(child, '/live') // waits until the loop is back
  assert.deepEqual(first, { status: 503, body: '{"status":"blocked"}' })
  await blocked.over()
  await until('it is well again', async () => (await ask(child, '/live')).status === 200, { limitMs: 30_000 })
})

test('a block within the limit leaves /live as it is', limit, async (t) => {
  const child = await startFunction(t, 'stateless-echo', { SLUICE_LOOP_BLOCKED_MS: '60000' })
  const blocked = await block(child, 3_000)
  assert.equal((await ask(child, '/live')).status, 200)
  await blocked.over()
})

test('the heartbeat advances, and stands still while no place of the receiver is given back', limit, async (t) => {
  const child = await startFunction(t, 'jammed')
  const begun = await heartbeatOf(child)
  await until('it advances', async () => (await heartbeatOf(child)) > begun, { limitMs: 30_000 })
  for (const id of ['one', 'two']) {
    const connection = await openConnection(child.port)
    connection.write(event(id, 'hang')) // one takes the place, the other the place in the queue
  }
  const health = async () =>
    (JSON.parse((await ask(child, '/health')).body) as Record<'components', Record<string, Record<string, unknown>>>)
      .components['heartbeat']
  await until('it is noticed', async () => (await health())?.['last_error'] === 'overloaded', { limitMs: 30_000 })
  const stopped = await heartbeatOf(child)
  let looks = 0
  await until('it was looked at again', async () => {
    const age = Number((await health())?.['age_seconds'])
    looks += age < 0.5 ? 1 : 0
    return looks >= 3
  })
  assert.equal(await heartbeatOf(child), stopped)
  assert.equal((await ask(child, '/live')).status, 200)
})

test('/ready answers at once while Postgres hangs, and says so after two rounds', limit, async (t) => {
  const { proxy, proxied } = await proxyTo(t, (await createTestDatabase(t)).url)
  const child = await startFunction(t, 'transaction-ledger', { DATABASE_URL: proxied })
  proxy.freeze()
  const durations: number[] = []
  await until(
    'it is not ready',
    async () => {
      const begun = performance.now()
      const { status } = await ask(child, '/ready')
      durations.push(performance.now() - begun)
      return status === 503
    },
    { limitMs: 30_000 },
  )
  durations.sort((a, b) => a - b)
  const [fastest = Infinity] = durations
  t.diagnostic(
    `${durations.length} answers, fastest ${fastest.toFixed(1)} ms, slowest ${durations.at(-1)?.toFixed(1)} ms`,
  )
  assert.ok(fastest < 200) // the slowest is the machine's
  const { dependencies } = JSON.parse((await ask(child, '/ready')).body) as {
    dependencies: Record<string, Record<string, unknown>>
  }
  assert.equal(dependencies['postgres']?.['status'], 'down')
  assert.equal((await ask(child, '/live')).status, 200)
  proxy.mend()
  await until('it is ready again', async () => (await ask(child, '/ready')).status === 200, { limitMs: 60_000 })
})
