import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentify } from '../../../../functions/gateway/identity/create-identify.ts'
import { loadConfig } from '../../../../shared/config/index.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { testLogger } from '../../support/platform.ts'

const given = {
  AUTH_MODE: 'jwt',
  JWT_ISSUER: 'https://issuer.example/',
  JWT_AUDIENCE: 'sluice',
  JWT_JWKS_URL: 'https://issuer.example/keys',
  SLUICE_HOST: '0.0.0.0',
}

async function create(env: Readonly<Record<string, string>>): Promise<void> {
  const deps = { clock, log: testLogger(), instruments: createInstruments({ function: 'gateway' }) }
  const { components } = createIdentify(loadConfig(env), deps)
  for (const component of components) await component.stop()
}

test('with all that it needs, jwt serves any address', async () => {
  await create(given)
  for (const url of ['http://127.0.0.1:1/keys', 'http://localhost/keys', 'http://[::1]:1/keys'])
    await create({ ...given, JWT_JWKS_URL: url })
})

for (const variable of ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL'])
  test(`jwt does not start without ${variable}, and names it`, async () => {
    await assert.rejects(create({ ...given, [variable]: '' }), {
      code: 'invalid_option',
      message: new RegExp(`${variable}.*not set`),
    })
  })

test('keys that travel unprotected are not believed', async () => {
  for (const url of ['http://issuer.example/keys', 'http://127.0.0.1.example/keys', 'http://10.0.0.1/keys'])
    await assert.rejects(create({ ...given, JWT_JWKS_URL: url }), { code: 'invalid_option', message: /JWT_JWKS_URL/ })
})

test('clocks may not differ by more than a minute', () => {
  assert.throws(() => loadConfig({ ...given, JWT_CLOCK_TOLERANCE_MS: '60001' }), { code: 'invalid_option' })
})
