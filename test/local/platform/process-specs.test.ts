import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installedFunctions } from '../../../local/platform/installed-functions.ts'
import { planProcesses, type PlannedProcess } from '../../../local/platform/process-specs.ts'
import { projectRoot } from '../../support/index.ts'

async function plan(
  failpoints: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, PlannedProcess>> {
  const functions = await installedFunctions(projectRoot)
  const planned = await planProcesses({
    root: projectRoot,
    functions,
    entrances: {},
    instances: { gateway: 2 },
    gatewayPort: 18_080,
    env: { LOG_LEVEL: 'warn', ...env },
    failpoints,
    logFolder: '/logs',
  })
  return new Map(planned.map((one) => [one.spec.name, one]))
}

test('every function is a process of its own main.ts, with ports that nobody shares', async () => {
  const processes = await plan()
  for (const name of ['conversation-worker', 'gateway', 'gateway-2', 'outbox-sync', 'tool-executor']) {
    assert.ok(processes.has(name), name)
  }
  const ports = [...processes.values()].flatMap(({ spec }) => [spec.env['PORT'], spec.env['SLUICE_OPERATIONS_PORT']])
  assert.equal(new Set(ports).size, ports.length)
  assert.equal(processes.get('gateway')?.url, 'http://127.0.0.1:18080')
  assert.deepEqual(processes.get('gateway-2')?.spec.args.at(-1), 'functions/gateway/main.ts')
})

test('every process knows the first process of every function', async () => {
  const processes = await plan()
  const urls = processes.get('outbox-sync')?.spec.env['SLUICE_FUNCTION_URLS'] ?? ''
  const expected = [...processes.values()]
    .filter(({ spec }) => spec.name === spec.function)
    .map(({ spec, url }) => `${spec.function}=${url}`)
  assert.deepEqual(urls.split(','), expected)
})

test('every process knows memory-service, or the memory system that the environment names in its place', async () => {
  const own = await plan()
  assert.equal(own.get('conversation-worker')?.spec.env['MEMORY_SERVICE_URL'], own.get('memory-service')?.url)
  const other = await plan({}, { MEMORY_SERVICE_URL: 'http://memory.example' })
  assert.equal(other.get('memory-sync')?.spec.env['MEMORY_SERVICE_URL'], 'http://memory.example')
})

test('failpoints arm one process, in its first run only', async () => {
  const processes = await plan({ gateway: 'outbox.after-commit=kill' })
  assert.deepEqual(processes.get('gateway')?.spec.firstRunEnv, {
    SLUICE_TEST_MODE: 'true',
    SLUICE_FAILPOINTS: 'outbox.after-commit=kill',
  })
  assert.equal(processes.get('gateway')?.spec.env['SLUICE_TEST_MODE'], undefined)
  assert.deepEqual(processes.get('gateway-2')?.spec.firstRunEnv, {})
})
