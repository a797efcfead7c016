import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGateway } from '../../../functions/gateway/compose.ts'
import { gateway } from '../../../functions/gateway/function.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { startForTest, testLogger } from '../support/platform.ts'

for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.com']) {
  test(`local mode does not start on ${host}, which others may reach`, async (t) => {
    const { url } = await createTestDatabase(t)
    const config = loadConfig({ DATABASE_URL: url, PORT: '0', SLUICE_OPERATIONS_PORT: '0', SLUICE_HOST: host })
    const behaviour = { compose: createGateway }
    await assert.rejects(startForTest(t, { definition: gateway, behaviour, config, log: testLogger() }), {
      code: 'invalid_option',
      message: new RegExp(`AUTH_MODE=local.*${host.replaceAll('.', '\\.')}`),
    })
  })
}

test('local mode starts on loopback', async (t) => {
  const { url } = await createTestDatabase(t)
  const config = loadConfig({ DATABASE_URL: url, PORT: '0', SLUICE_OPERATIONS_PORT: '0', SLUICE_HOST: 'localhost' })
  const { port } = await startForTest(t, {
    definition: gateway,
    behaviour: { compose: createGateway },
    config,
    log: testLogger(),
  })
  assert.equal((await fetch(`http://localhost:${port}/ready`)).status, 200)
})
