import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSourceWatch, type SupervisedProcess } from '../../../local/runner/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { temporaryFolder, until } from '../../support/index.ts'

const fake = (name: string, restarts: string[]): SupervisedProcess => ({
  spec: {
    name,
    function: name.replace(/-\d$/, ''),
    file: '',
    args: [],
    env: {},
    cwd: '',
    readyUrl: '',
    logPath: '',
    stopWithinMs: 0,
    firstRunEnv: {},
  },
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  pid: () => undefined,
  isReady: () => true,
  kill: () => false,
  restart: (reason) => {
    restarts.push(`${name}: ${reason}`)
    return Promise.resolve()
  },
})

test('a change restarts the function it belongs to, one in shared restarts all', { timeout: 20_000 }, async (t) => {
  const root = temporaryFolder(t)
  for (const folder of ['functions/gateway', 'functions/tool-executor', 'shared/time'])
    mkdirSync(join(root, folder), { recursive: true })
  const restarts: string[] = []
  const processes = ['gateway', 'gateway-2', 'tool-executor'].map((name) => fake(name, restarts))
  const watch = createSourceWatch({ root, processes }, { clock: systemClock })
  await watch.start(AbortSignal.timeout(1_000))
  t.after(() => watch.stop())

  writeFileSync(join(root, 'functions/gateway/README.md'), 'not code')
  writeFileSync(join(root, 'functions/gateway/app.ts'), 'one')
  writeFileSync(join(root, 'functions/gateway/app.ts'), 'two')
  await until('the gateways are restarted', () => restarts.length >= 2)
  assert.deepEqual(restarts, [
    'gateway: functions/gateway/app.ts changed',
    'gateway-2: functions/gateway/app.ts changed',
  ])

  writeFileSync(join(root, 'shared/time/clock.ts'), 'new')
  await until('all are restarted', () => restarts.length >= 5)
  assert.deepEqual(
    restarts.slice(2).map((line) => line.split(':')[0]),
    ['gateway', 'gateway-2', 'tool-executor'],
  )
})
