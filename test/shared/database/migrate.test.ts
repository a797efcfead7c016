import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../../shared/errors/index.ts'
import { migrate } from '../../../shared/database/index.ts'
import { createTestDatabase, startChild, temporaryFolder } from '../../support/index.ts'
import { openDatabase, silent as log } from './open-database.ts'

const failed =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === 'start_failed' && pattern.test(error.message)

async function open(t: TestContext) {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url)
  const directory = temporaryFolder(t)
  const write = (name: string, sql: string): void => writeFileSync(join(directory, name), sql)
  const run = (): Promise<readonly string[]> =>
    migrate(database, { directory, log }).then((applied) => applied.map(({ name }) => name))
  return { url, database, directory, write, run }
}

test('missing migrations are applied in the order of their numbers, each once', async (t) => {
  const { database, write, run } = await open(t)
  write('0002-second.sql', 'ALTER TABLE item ADD name text; INSERT INTO item VALUES (1)')
  write('0001-first.sql', 'CREATE TABLE item (id int)')
  write('notes.md', 'not a migration')
  assert.deepEqual(await run(), ['0001-first.sql', '0002-second.sql'])
  assert.deepEqual(await run(), [])
  write('0003-third.sql', 'INSERT INTO item VALUES (2)')
  assert.deepEqual(await run(), ['0003-third.sql'])
  assert.equal((await database.query('SELECT FROM item')).rowCount, 2)
})

test('a migration that fails is named, and nothing of the run stays', async (t) => {
  const { database, write, run } = await open(t)
  write('0001-first.sql', 'CREATE TABLE item (id int)')
  write('0002-second.sql', 'CREATE TABLE other (id int); SELECT 1/0')
  await assert.rejects(run(), failed(/0002-second\.sql: division by zero/))
  await assert.rejects(database.query('SELECT FROM item'), { code: '42P01' })
  write('0002-second.sql', 'CREATE TABLE other (id int)')
  assert.deepEqual(await run(), ['0001-first.sql', '0002-second.sql'])
})

test('an applied migration that was edited is an error', async (t) => {
  const { write, run } = await open(t)
  write('0001-first.sql', 'CREATE TABLE item (id int)')
  await run()
  write('0001-first.sql', 'CREATE TABLE item (id int) ')
  await assert.rejects(run(), failed(/0001-first\.sql was edited/))
  await assert.rejects(run(), { details: { migration: 'edited' } }) // npm start adds its remedy
})

test('a new migration below the highest applied number is an error, a missing file is not', async (t) => {
  const { write, run } = await open(t)
  write('0002-second.sql', 'SELECT 1')
  await run()
  write('0001-first.sql', 'SELECT 1')
  await assert.rejects(run(), failed(/0001-first\.sql is new/))
  const older = await open(t)
  older.write('0003-other.sql', 'SELECT 1')
  await older.run()
})

test('two files of one number, and a file with another kind of name, are errors', async (t) => {
  const { write, run } = await open(t)
  write('0001-a.sql', 'SELECT 1')
  write('0001-b.sql', 'SELECT 1')
  await assert.rejects(run(), failed(/same number/))
  const other = await open(t)
  other.write('first.sql', 'SELECT 1')
  await assert.rejects(other.run(), failed(/NNNN-name/))
})

test(
  'of several processes that start at once one applies, the others wait and find nothing to do',
  { timeout: 60_000 },
  async (t) => {
    const { url, database, directory, write } = await open(t)
    write('0001-first.sql', 'CREATE TABLE item (id int)')
    write('0002-second.sql', 'SELECT pg_sleep(0.5); INSERT INTO item VALUES (1)')
    const program = fileURLToPath(new URL('run-migrate.ts', import.meta.url))
    const children = [1, 2, 3, 4].map(() => startChild(t, [program, url, directory]))
    const lines = await Promise.all(children.map((child) => child.line(/^applied /, { limitMs: 40_000 })))
    for (const child of children) assert.deepEqual(await child.exited(), { code: 0, signal: null })
    assert.deepEqual(lines.toSorted(), ['applied 0', 'applied 0', 'applied 0', 'applied 2'])
    assert.equal((await database.query('SELECT FROM item')).rowCount, 1)
  },
)

test('the migrations of the project apply to an empty database', async (t) => {
  const { database } = await open(t)
  const directory = fileURLToPath(new URL('../../../schemas/database/', import.meta.url))
  const applied = await migrate(database, { directory, log })
  assert.ok(applied.length >= 3)
  assert.deepEqual(await migrate(database, { directory, log }), [])
})
