// schemas/operations.openapi.json is what shared/function/operations/openapi.ts says, and what running processes answer.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { operationsOpenApi } from '../../../../shared/function/operations/openapi.ts'
import { createHandler, statelessEcho } from '../../../fixtures/functions/stateless-echo.ts'
import { createHandler as createLedger, transactionLedger } from '../../../fixtures/functions/transaction-ledger.ts'
import { createTestDatabase, projectRoot, proxyTo, until } from '../../../support/index.ts'
import { startServiceOfTest, type ServiceOfTest } from '../start-service.ts'

const file = join(projectRoot, 'schemas/operations.openapi.json')
const generated = `${JSON.stringify(operationsOpenApi, null, 2)}\n`

// UPDATE=openapi node --test test/shared/function/operations/openapi.test.ts
if (process.env['UPDATE'] === 'openapi') writeFileSync(file, generated)

test('schemas/operations.openapi.json is what the code says', () => {
  assert.equal(readFileSync(file, 'utf8'), generated)
})

const ajv = new Ajv2020({ strict: false })
ajv.addSchema(JSON.parse(generated) as object, 'operations')

interface Documented {
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>
}

async function assertKeepsContract(base: string, path: keyof typeof operationsOpenApi.paths): Promise<number> {
  const answer = await fetch(`${base}${path}`)
  const [mediaType = ''] = (answer.headers.get('content-type') ?? '').split(';')
  const { get } =
    (JSON.parse(generated) as { paths: Record<string, { get: Documented }> }).paths[path] ?? assert.fail(path)
  const documented =
    get.responses[answer.status] ?? assert.fail(`${path} answers ${answer.status}, which is not documented`)
  assert.ok(Object.hasOwn(documented.content, mediaType), `${path} answers ${mediaType}`)
  const body = await answer.text()
  if (mediaType !== 'application/json') return answer.status
  const pointer = [path, 'get', 'responses', String(answer.status), 'content', mediaType, 'schema']
    .map((part) => encodeURIComponent(part.replaceAll('/', '~1')))
    .join('/')
  const validate = ajv.getSchema(`operations#/paths/${pointer}`) ?? assert.fail(pointer)
  assert.ok(validate(JSON.parse(body)), `${path}: ${ajv.errorsText(validate.errors)}: ${body}`)
  return answer.status
}

const addressesOf = ({ port, operationsPort }: ServiceOfTest): readonly string[] =>
  [port, operationsPort].map((one) => `http://127.0.0.1:${one}`)

test('what a function answers on both ports is in the contract', { timeout: 30_000 }, async (t) => {
  const service = await startServiceOfTest(t, statelessEcho, { behaviour: createHandler() })
  for (const address of addressesOf(service))
    for (const path of ['/live', '/ready', '/health'] as const)
      assert.equal(await assertKeepsContract(address, path), 200)
  const [, operations = ''] = addressesOf(service)
  for (const path of ['/metrics', '/openapi.json'] as const)
    assert.equal(await assertKeepsContract(operations, path), 200)
  assert.deepEqual(await (await fetch(`${operations}/openapi.json`)).json(), operationsOpenApi)
})

test('so is what it answers while it lacks something and while it drains', { timeout: 60_000 }, async (t) => {
  const { proxy, proxied } = await proxyTo(t, (await createTestDatabase(t)).url)
  const service = await startServiceOfTest(t, transactionLedger, {
    behaviour: createLedger(),
    env: { DATABASE_URL: proxied, SLUICE_DRAIN_DELAY_MS: '60000' },
  })
  proxy.cut()
  const [serving = '', operations = ''] = addressesOf(service)
  await until('it is not ready', async () => (await fetch(`${operations}/ready`)).status === 503, { limitMs: 20_000 })
  for (const address of [serving, operations])
    for (const path of ['/ready', '/health'] as const) assert.equal(await assertKeepsContract(address, path), 503)
  void service.drain({ totalMs: 1_000 })
  const answer = (await (await fetch(`${operations}/ready`)).json()) as { phase: string }
  assert.equal(answer.phase, 'draining')
  for (const path of ['/live', '/ready', '/health'] as const) await assertKeepsContract(operations, path)
})
