// The platform as a whole is proven by test/e2e; here is what goes wrong at its start.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { installedFunctions } from '../../../local/platform/installed-functions.ts'
import { startModel } from '../../../local/platform/model.ts'
import { startPlatform } from '../../../local/platform/platform.ts'
import { allotPorts, isFree, type ProcessEvent } from '../../../local/runner/index.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createTestDatabase, isAlive, projectRoot, temporaryFolder } from '../../support/index.ts'

test(
  'a function that cannot start is named with its reason, and nothing is left running',
  { timeout: 60_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const [gatewayPort = 0] = await allotPorts(1)
    const events: ProcessEvent[] = []
    const environment = { PATH: process.env['PATH'] ?? '', SLUICE_TURN_DEADLINE_MS: 'soon' }
    const starting = startPlatform(
      {
        root: projectRoot,
        home: temporaryFolder(t),
        environment,
        config: loadConfig({ DATABASE_URL: url }),
        gatewayPort,
      },
      {
        clock,
        log: createLogger({ function: 'test', level: 'silent' }),
        onStep: () => undefined,
        onProcess: (event) => events.push(event),
      },
      AbortSignal.timeout(60_000),
    )
    await assert.rejects(starting, /ended before it was ready \(code 1\): .*SLUICE_TURN_DEADLINE_MS=soon/)
    const pids = events.flatMap((event) => (event.kind === 'started' ? [event.pid] : []))
    assert.ok(pids.length > 0)
    assert.deepEqual(pids.filter(isAlive), [])
    assert.ok(await isFree(gatewayPort))
  },
)

test('a provider is used where MODEL_BASE_URL names one', async () => {
  const model = await startModel(loadConfig({ MODEL_BASE_URL: 'https://models.example/v1' }))
  assert.equal(model.url, 'https://models.example/v1')
  assert.equal(model.rehearsal, undefined)
  await model.stop()
})

test('a folder whose contract has another name is refused', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'functions', 'echo'), { recursive: true })
  writeFileSync(
    join(root, 'functions', 'echo', 'function.ts'),
    "export const echo = { kind: 'http', name: 'other', needs: [] }",
  )
  writeFileSync(join(root, 'functions', 'echo', 'main.ts'), '')
  mkdirSync(join(root, 'functions', 'unfinished'))
  await assert.rejects(installedFunctions(root), /functions\/echo\/function\.ts must export the contract of 'echo'/)
})
