// The life of a function's process: start, drain, faults, and every way out. Real processes, real signals.

import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { atEnd, createTestDatabase, temporaryFolder, until } from '../../support/index.ts'
import { ledgerSql } from '../../fixtures/functions/transaction-ledger.ts'
import { openDatabase } from './open-database.ts'
import { launchFunction, startFunction } from './function-process.ts'
import { exchange, openConnection, post } from './raw-http.ts'
import { message, messageHeaders } from './receiver/start-event-server.ts'

const limit = { timeout: 60_000 }
const event = (id: string, text: string) => post(messageHeaders({ 'ce-id': id }), message(text))
const ready = async (port: number) => (await exchange(port, 'GET /ready HTTP/1.1\r\nhost: x\r\n\r\n')).status

test('a started process says ready with its ports, and both ports say so too', limit, async (t) => {
  const child = await startFunction(t, 'stateless-echo')
  const record = await child.record('ready')
  assert.ok(Number(record['seconds']) > 0)
  assert.deepEqual(await Promise.all([ready(child.port), ready(child.operationsPort)]), [200, 200])
  const metrics = await exchange(child.operationsPort, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.match(metrics.body, /service_startup_seconds_count\{function="stateless-echo"\} 1/)
  assert.equal((await exchange(child.port, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')).status, 405)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`an idle process ends on ${signal} at once, with a receipt and exit 0`, limit, async (t) => {
    const child = await startFunction(t, 'stateless-echo')
    const begun = performance.now()
    child.kill(signal)
    assert.deepEqual(await child.exited(), { code: 0, signal: null })
    assert.ok(performance.now() - begun < 2_000)
    const receipt = await child.record('shutdown complete')
    assert.deepEqual(
      ['finished', 'released', 'flushed_events', 'failed_steps'].map((name) => receipt[name]),
      [[], [], 0, []],
    )
  })
}

test(
  'while draining, what runs is finished and answered, what comes gets 503 with Retry-After, and health says so',
  limit,
  async (t) => {
    const gate = join(temporaryFolder(t), 'gate')
    const child = await startFunction(t, 'stateless-echo')
    const [running, idle] = await Promise.all([openConnection(child.port), openConnection(child.port)])
    running.write(event('in-flight', `wait-for ${gate}`))
    await child.record('waiting')
    child.kill('SIGTERM')
    await child.record('shutdown begins')

    idle.write(event('late', 'hello'))
    const late = await idle.answer()
    assert.deepEqual([late.status, late.headers['retry-after'], late.headers['connection']], [503, '1', 'close'])
    assert.deepEqual(await Promise.all([ready(child.port), ready(child.operationsPort)]), [503, 503])
    const live = await exchange(child.operationsPort, 'GET /live HTTP/1.1\r\nhost: x\r\n\r\n')
    assert.equal(live.status, 200)

    await writeFile(gate, '')
    const answer = await running.answer()
    assert.deepEqual([answer.status, answer.headers['connection']], [200, 'close'])
    assert.deepEqual(await child.exited(), { code: 0, signal: null })
    const receipt = await child.record('shutdown complete')
    assert.deepEqual([receipt['finished'], receipt['released']], [['in-flight'], []])
  },
)

test('a delivery that takes its time is finished before the process ends', limit, async (t) => {
  const { url } = await createTestDatabase(t)
  await (await openDatabase(t, url)).query(ledgerSql)
  const child = await startFunction(t, 'transaction-ledger', { DATABASE_URL: url })
  const running = exchange(child.port, event('in-flight', 'sleep 700'))
  await child.record('working')
  child.kill('SIGTERM')
  assert.equal((await running).status, 200)
  assert.deepEqual(await child.exited(), { code: 0, signal: null })
  assert.deepEqual((await child.record('shutdown complete'))['finished'], ['in-flight'])
})

test('a second signal kills, whatever runs', limit, async (t) => {
  const child = await startFunction(t, 'stateless-echo')
  const connection = await openConnection(child.port)
  connection.write(event('in-flight', 'hang'))
  await child.record('waiting')
  child.kill('SIGTERM')
  await child.record('shutdown begins')
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(), { code: null, signal: 'SIGTERM' })
})

test(
  'work that does not end in time is released, logged by id, and the process exits 1 within the limit',
  limit,
  async (t) => {
    const child = await startFunction(t, 'stateless-echo', { SHUTDOWN_TIMEOUT_MS: '1000' })
    const connection = await openConnection(child.port)
    connection.write(event('stuck', 'hang'))
    await child.record('waiting')
    const begun = performance.now()
    child.kill('SIGTERM')
    assert.deepEqual(await child.exited(), { code: 1, signal: null })
    assert.ok(performance.now() - begun < 1_500)
    const receipt = await child.record('shutdown complete')
    assert.deepEqual([receipt['level'], receipt['finished'], receipt['released']], ['error', [], ['stuck']])
  },
)

test('work that listens to its signal is told to stop and its caller to come again', limit, async (t) => {
  const child = await startFunction(t, 'stateless-echo', { SHUTDOWN_TIMEOUT_MS: '1000' })
  const connection = await openConnection(child.port)
  connection.write(event('slow', 'wait-for-abort'))
  await child.record('waiting')
  child.kill('SIGTERM')
  const answer = await connection.answer()
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
  assert.equal((await child.exited()).code, 1)
})

test('a component that does not stop in time costs exit 1 and not the limit', limit, async (t) => {
  const child = await startFunction(t, 'stubborn', { SHUTDOWN_TIMEOUT_MS: '1000' })
  const begun = performance.now()
  child.kill('SIGTERM')
  assert.equal((await child.exited()).code, 1)
  assert.ok(performance.now() - begun < 1_500)
  assert.deepEqual((await child.record('shutdown complete'))['failed_steps'], ['components'])
})

test('a loop that does not stop costs exit 1, and everything after it still happens', limit, async (t) => {
  const child = await startFunction(t, 'restless', { SHUTDOWN_TIMEOUT_MS: '1000' })
  child.kill('SIGTERM')
  assert.equal((await child.exited()).code, 1)
  assert.deepEqual((await child.record('shutdown complete'))['failed_steps'], ['work', 'components'])
  await child.record('adapter stops')
})

for (const [fault, text] of [
  ['unhandledRejection', 'stray-rejection'],
  ['uncaughtException', 'stray-exception'],
] as const) {
  test(`an ${fault} is logged once and ends the process with exit 1 after a drain`, limit, async (t) => {
    const child = await startFunction(t, 'stateless-echo')
    const waiting = await openConnection(child.port)
    waiting.write(event('in-flight', 'wait-for-abort'))
    await child.record('waiting')
    await exchange(child.port, event('stray', text))
    assert.equal((await child.exited({ limitMs: 15_000 })).code, 1)
    const faults = child.records().filter((record) => record['source'] === fault)
    assert.equal(faults.length, 1)
    assert.match(String(faults[0]?.['reason']), /^nobody/)
    assert.deepEqual((await child.record('shutdown complete'))['released'], ['in-flight'])
  })
}

test('a taken port ends the start with one line that names port, variable and holder', limit, async (t) => {
  const { port } = await holdPort(t)
  for (const variable of ['PORT', 'SLUICE_OPERATIONS_PORT']) {
    const child = launchFunction(t, 'stateless-echo', { [variable]: String(port) })
    await child.line(/could not start/)
    assert.equal((await child.exited()).code, 1)
    const line = `stateless-echo could not start: port_taken: port ${port} on 127.0.0.1 is taken by process ${process.pid}; set ${variable} to another port, or to 0 for any free one`
    assert.deepEqual(child.lines, [line])
  }
})

test('a bad option ends the start with one line', limit, async (t) => {
  const child = launchFunction(t, 'stateless-echo', { SLUICE_OPERATION_PORT: '1' })
  await child.line(/could not start/)
  assert.equal((await child.exited()).code, 1)
  assert.equal(child.lines.length, 1)
  assert.match(
    child.lines[0] ?? '',
    /^stateless-echo could not start: invalid_option: SLUICE_OPERATION_PORT is not an option/,
  )
})

test('a need without its address ends the start with the variable', limit, async (t) => {
  const child = launchFunction(t, 'transaction-ledger')
  await child.line(/could not start/)
  assert.equal((await child.exited()).code, 1)
  assert.match(child.lines.join('\n'), /invalid_option: the function needs Postgres, but DATABASE_URL is not set$/)
})

test('a database without its migrations ends the start and names the remedy', limit, async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const child = launchFunction(t, 'transaction-ledger', { DATABASE_URL: url })
  await child.line(/could not start/)
  assert.equal((await child.exited({ limitMs: 20_000 })).code, 1)
  assert.match(
    child.lines.join('\n'),
    /start_failed: the database is not migrated: no migration is applied.*sluice migrate/,
  )
})

test(
  'a start that fails late stops what had started, even what does not want to, and says why in one line',
  limit,
  async (t) => {
    const { port } = await holdPort(t)
    const child = launchFunction(t, 'stubborn', { PORT: String(port) })
    await child.line(/could not start/)
    assert.equal((await child.exited()).code, 1)
    assert.deepEqual(
      child.lines.filter((line) => !line.startsWith('{')).map((line) => line.slice(0, 36)),
      ['stubborn could not start: port_taken'],
    )
    assert.ok(child.lines.some((line) => line.includes('"message":"stubborn stops"')))
  },
)

test('a signal during the start unwinds it and exits 0', limit, async (t) => {
  const { port, sockets } = await holdPort(t)
  const child = launchFunction(t, 'transaction-ledger', { DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/d` })
  await until('it tries to connect', () => sockets.size > 0)
  const begun = performance.now()
  child.kill('SIGTERM')
  assert.equal((await child.exited({ limitMs: 15_000 })).code, 0)
  assert.ok(performance.now() - begun < 3_000)
})

/** A port that accepts connections and never says anything. */
async function holdPort(t: TestContext): Promise<{ readonly port: number; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}
