// The documents against running processes: Schemathesis makes requests of every kind from them, good and bad, and compares every
// answer. A bad input must never be a 500.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createTestDatabase, projectRoot, startChild } from '../../support/index.ts'
import { findSchemathesis, run } from './schemathesis.ts'

const limit = { timeout: 600_000 }
const examples = 25

const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
].join(',')

interface Addresses {
  readonly serving: string
  readonly operations: string
}

async function startFunction(t: TestContext, name: string): Promise<Addresses> {
  const { url } = await createTestDatabase(t)
  const child = startChild(t, [`functions/${name}/main.ts`], {
    env: { PORT: '0', SLUICE_OPERATIONS_PORT: '0', DATABASE_URL: url, MODEL_BASE_URL: 'http://127.0.0.1:1/v1' },
  })
  const ready = JSON.parse(await child.line(/"message":"ready"/, { limitMs: 60_000 })) as Record<string, number>
  return {
    serving: `http://127.0.0.1:${ready['port']}`,
    operations: `http://127.0.0.1:${ready['operations_port']}`,
  }
}

async function assertConforms(
  t: TestContext,
  document: string,
  { url, more = [] }: { readonly url: string; readonly more?: readonly string[] },
): Promise<void> {
  const found = await findSchemathesis()
  if ('missing' in found) {
    assert.notEqual(process.env['CI'], 'true', `CI needs it: ${found.missing}`)
    return t.skip(found.missing)
  }
  const { code, output } = await run(found.program, [
    'run',
    join(projectRoot, 'schemas', document),
    `--url=${url}`,
    `--checks=${checks}`,
    `--max-examples=${examples}`,
    '--seed=1',
    '--phases=examples,coverage,fuzzing',
    '--request-timeout=20',
    '--suppress-health-check=all',
    '--no-color',
    ...more,
  ])
  assert.equal(code, 0, output)
  t.diagnostic(
    output
      .split('\n')
      .filter((line) => /cases|checks|operations/i.test(line))
      .join(' · '),
  )
}

test('the gateway answers as schemas/openapi.json says, whatever it is asked', limit, async (t) => {
  const { serving } = await startFunction(t, 'gateway')
  // Its streams have no end; test/functions/gateway/routes/session-stream.test.ts looks at them.
  await assertConforms(t, 'openapi.json', { url: serving, more: ['--exclude-operation-id', 'streamEvents'] })
})

for (const name of ['gateway', 'tool-executor', 'outbox-sync'])
  test(`the operations port of ${name} answers as schemas/operations.openapi.json says`, limit, async (t) => {
    const { operations } = await startFunction(t, name)
    await assertConforms(t, 'operations.openapi.json', { url: operations })
  })
