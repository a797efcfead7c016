import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { allotPorts, createRunner, type ProcessEvent, type SupervisedProcess } from '../../../local/runner/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { isAlive, startChild, temporaryFolder, until } from '../../support/index.ts'

interface World {
  readonly process: SupervisedProcess
  readonly events: readonly ProcessEvent[]
  readonly logPath: string
  start(): Promise<void>
  stop(): Promise<void>
}

async function world(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<World> {
  const [port = 0] = await allotPorts(1)
  const events: ProcessEvent[] = []
  const logPath = join(temporaryFolder(t), 'logs', 'simple.log')
  const runner = createRunner(
    [
      {
        name: 'simple',
        function: 'simple',
        file: process.execPath,
        args: [join(import.meta.dirname, 'simple-function.ts')],
        env: { ...env, OPERATIONS_PORT: String(port) },
        cwd: import.meta.dirname,
        readyUrl: `http://127.0.0.1:${port}/ready`,
        logPath,
        stopWithinMs: 300,
        firstRunEnv: {},
      },
    ],
    { clock: systemClock, onEvent: (event) => events.push(event) },
  )
  t.after(() => runner.stop())
  const [first] = runner.processes
  assert.ok(first !== undefined)
  return {
    process: first,
    events,
    logPath,
    start: () => runner.start(AbortSignal.timeout(10_000)),
    stop: () => runner.stop(),
  }
}

const kinds = ({ events }: World): readonly string[] => events.map(({ kind }) => kind)

test('start resolves when the process is ready, and stop leaves none', { timeout: 20_000 }, async (t) => {
  const w = await world(t)
  await w.start()
  const pid = w.process.pid()
  assert.ok(pid !== undefined && isAlive(pid))
  assert.equal(w.process.isReady(), true)
  await w.stop()
  assert.equal(isAlive(pid), false)
  assert.deepEqual(kinds(w), ['started', 'ready'])
  await until('its log is written', () => readFileSync(w.logPath, 'utf8') === 'listening\nstopping\n')
})

test('a killed process is started again within 300 ms, on the same port', { timeout: 20_000 }, async (t) => {
  const w = await world(t)
  await w.start()
  const before = w.process.pid()
  const killedAt = performance.now()
  w.process.kill('SIGKILL')
  await until('it is started again', () => w.events.filter(({ kind }) => kind === 'started').length === 2)
  assert.ok(performance.now() - killedAt < 300, `${performance.now() - killedAt} ms`)
  await until('it is ready again', () => w.process.isReady())
  assert.notEqual(w.process.pid(), before)
  const ended = w.events.find((event) => event.kind === 'ended')
  assert.deepEqual(ended, { kind: 'ended', process: 'simple', how: 'SIGKILL', lastWords: '', restartInMs: 100 })
})

test('a process that keeps ending is waited for longer each time', { timeout: 20_000 }, async (t) => {
  const w = await world(t)
  await w.start()
  for (let round = 1; round <= 3; round += 1) {
    await until('it runs', () => w.process.isReady())
    w.process.kill('SIGKILL')
    await until('it ended', () => w.events.filter(({ kind }) => kind === 'ended').length === round)
  }
  assert.deepEqual(
    w.events.flatMap((event) => (event.kind === 'ended' ? [event.restartInMs] : [])),
    [100, 200, 400],
  )
})

test('a stop before the process is ready ends the start with it', { timeout: 20_000 }, async (t) => {
  const w = await world(t, { NEVER_READY: 'true' })
  const start = w.start()
  start.catch(() => undefined)
  await until('it runs', () => w.process.pid() !== undefined)
  await w.process.stop()
  await assert.rejects(start, { code: 'aborted' })
})

test('a first start that fails says why and leaves nothing', { timeout: 20_000 }, async (t) => {
  const w = await world(t, { FAILS: 'true' })
  await assert.rejects(w.start(), /simple ended before it was ready \(code 1\): PORT=abc: expected a whole number/)
  assert.equal(w.process.pid(), undefined)
})

test('a process that ignores SIGTERM is killed', { timeout: 20_000 }, async (t) => {
  const w = await world(t, { STUBBORN: 'true' })
  await w.start()
  const pid = w.process.pid() ?? 0
  await w.stop()
  assert.equal(isAlive(pid), false)
})

test('restart replaces the process without counting as a crash', { timeout: 20_000 }, async (t) => {
  const w = await world(t)
  await w.start()
  await w.process.restart('handler.ts changed')
  await until('the new one is ready', () => kinds(w).filter((kind) => kind === 'ready').length === 2)
  assert.deepEqual(kinds(w), ['started', 'ready', 'restarting', 'started', 'ready'])
})

test('no process outlives a runner that is killed', { timeout: 20_000 }, async (t) => {
  const runner = startChild(t, [join(import.meta.dirname, 'runner-of-simple.ts'), temporaryFolder(t)])
  const pid = Number((await runner.line(/^pid \d+$/)).slice(4))
  assert.equal(isAlive(pid), true)
  runner.kill('SIGKILL')
  await until('the process is gone', () => !isAlive(pid))
})
