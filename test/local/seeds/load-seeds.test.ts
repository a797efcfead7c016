import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { loadSeeds, seedEmptyDatabase } from '../../../local/seeds/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, projectRoot, temporaryFolder } from '../../support/index.ts'

async function emptyDatabase(t: TestContext): Promise<Database> {
  const { url } = await createTestDatabase(t)
  const log = createLogger({ function: 'test', level: 'silent' })
  const database = createDatabase(
    { url: secret(url), poolSize: 1, statementTimeoutMs: 5_000, lockTimeoutMs: 5_000, applicationName: 'test' },
    { log, clock },
  )
  atEnd(t, () => database.stop())
  return database
}

function seedsOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'local', 'seeds'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'local', 'seeds', name), text)
  return root
}

const tenants = async (database: Database): Promise<readonly string[]> => {
  const { rows } = await database.query<{ tenant: string; display_name: string }>(
    'SELECT tenant, display_name FROM agent.tenant ORDER BY tenant',
  )
  return rows.map(({ tenant, display_name: name }) => `${tenant}: ${name}`)
}

test("the project's own seeds load, and loading them again changes nothing", async (t) => {
  const database = await emptyDatabase(t)
  const count = await loadSeeds(database, { root: projectRoot })
  assert.ok(count > 5)
  const counts =
    'SELECT (SELECT count(*) FROM agent.tenant)::int AS tenants, (SELECT count(*) FROM agent.persona)::int AS personas, (SELECT count(*) FROM agent.tool_catalog)::int AS tools, (SELECT count(*) FROM agent.model_profile)::int AS profiles'
  const before = (await database.query(counts)).rows
  assert.equal(await loadSeeds(database, { root: projectRoot }), count)
  assert.deepEqual((await database.query(counts)).rows, before)
})

test('a row that exists gets the values of the seed, others stay', async (t) => {
  const database = await emptyDatabase(t)
  await database.query("INSERT INTO agent.tenant (tenant, display_name) VALUES ('acme', 'Old'), ('other', 'Other')")
  await loadSeeds(database, { root: seedsOf(t, { 'tenants.yaml': 'tenant: [{ tenant: acme, display_name: New }]' }) })
  assert.deepEqual(await tenants(database), ['acme: New', 'other: Other'])
})

test('an empty database is seeded once and never again by itself', async (t) => {
  const database = await emptyDatabase(t)
  const root = seedsOf(t, {
    'tenants.yaml': 'tenant: [{ tenant: acme, display_name: Acme }]',
    'README.md': 'not a seed',
  })
  assert.equal(await seedEmptyDatabase(database, { root }), 1)
  assert.equal(await seedEmptyDatabase(database, { root }), 0)
})

test('what is wrong with a seed is said with its file or row, and nothing of it stays', async (t) => {
  const database = await emptyDatabase(t)
  const load = (text: string): Promise<number> => loadSeeds(database, { root: seedsOf(t, { 'x.yaml': text }) })
  await assert.rejects(
    load('tenants: []'),
    /the seeds in x\.yaml: 'tenants' is not a list of rows of one of the tables tenant,/,
  )
  await assert.rejects(load('tenant: [broken'), /the seeds in x\.yaml/)
  await assert.rejects(load('tenant: [{ display_name: Acme }]'), /a seed of tenant lacks tenant/)
  await assert.rejects(load('tenant: [{ tenant: acme, "display_name) --": 1 }]'), /has the column 'display_name\) --'/)
  await assert.rejects(
    load('tenant: [{ tenant: acme, display_name: Acme }, { tenant: Not Allowed, display_name: x }]'),
    /the seed tenant Not Allowed was refused/,
  )
  assert.deepEqual(await tenants(database), [])
})
