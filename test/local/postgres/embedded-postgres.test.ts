import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { findBinaries } from '../../../local/postgres/binaries.ts'
import {
  eraseEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../../local/postgres/index.ts'
import { atEnd, isAlive, projectCache, temporaryFolder, until } from '../../support/index.ts'

const limit = { timeout: 60_000 }

async function start(
  t: TestContext,
  dataDir: string,
  options: Partial<EmbeddedPostgresOptions> = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, cacheDir: projectCache, fsync: false, ...options })
  atEnd(t, () => server.stop())
  return server
}

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // cut off by a stop
  await client.connect()
  try {
    const { rows } = await client.query<{ value: unknown }>(text)
    return rows.map(({ value }) => value)
  } finally {
    await client.end()
  }
}

test('it starts on a free port with the database asked for, and leaves nothing when stopped', limit, async (t) => {
  const server = await start(t, join(temporaryFolder(t), 'pg'), { database: 'sluice' })
  assert.equal(new URL(server.url).port, String(server.port))
  assert.deepEqual(await query(server.url, 'SELECT current_database() AS value'), ['sluice'])
  assert.equal(isAlive(server.pid), true)
  await Promise.all([server.stop(), server.stop()])
  await server.stop()
  assert.equal(isAlive(server.pid), false)
  assert.equal(await server.exited, 0)
})

test('data survives a restart, and the existing database is not made again', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir, { database: 'sluice' })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
  await first.stop()
  const second = await start(t, dataDir, { database: 'sluice' })
  assert.deepEqual(await query(second.url, 'SELECT value FROM kept'), [42])
})

test('what was committed is there after the server was killed hard', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir, { fsync: true })
  await query(first.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS value')
  process.kill(first.pid, 'SIGKILL')
  assert.equal(await first.exited, 128 + 9)
  assert.equal(existsSync(join(first.dataDir, 'postmaster.pid')), true)
  const second = await start(t, dataDir)
  assert.deepEqual(await query(second.url, 'SELECT count(*)::int AS value FROM kept'), [1_000])
})

test('the pid file of a dead server is no obstacle, even when another process has its id now', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  await first.stop()
  writeFileSync(join(first.dataDir, 'postmaster.pid'), `${process.pid}\n${first.dataDir}\n0\n5432\n`)
  const second = await start(t, dataDir)
  assert.deepEqual(await query(second.url, 'SELECT 1 AS value'), [1])
})

test('a second server on the same data is refused, naming process and port of the first', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  const refusal = {
    code: 'start_failed',
    message: new RegExp(`process ${first.pid}, port ${first.port}\\).*kill -INT`),
  }
  await assert.rejects(start(t, dataDir), refusal)
  await assert.rejects(eraseEmbeddedPostgres({ dataDir, cacheDir: projectCache }), refusal)
  assert.deepEqual(await query(first.url, 'SELECT 1 AS value'), [1])
})

test('erasing forgets the data', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
  await first.stop()
  await eraseEmbeddedPostgres({ dataDir, cacheDir: projectCache })
  const second = await start(t, dataDir)
  assert.deepEqual(await query(second.url, `SELECT to_regclass('kept') AS value`), [null])
})

test('a port that is taken is an error of its own, and nothing is left running', limit, async (t) => {
  const holder = createServer().listen(0, '127.0.0.1')
  atEnd(t, () => holder.close())
  await until('the port is held', () => holder.listening)
  const { port } = holder.address() as { port: number }
  const dataDir = join(temporaryFolder(t), 'pg')
  await assert.rejects(start(t, dataDir, { port }), {
    code: 'port_taken',
    message: new RegExp(`Port ${port} is taken`),
  })
  assert.deepEqual(await query((await start(t, dataDir)).url, 'SELECT 1 AS value'), [1])
})

test('nobody gets in without the password', limit, async (t) => {
  const server = await start(t, join(temporaryFolder(t), 'pg'))
  const wrong = new URL(server.url)
  wrong.password = 'guessed'
  await assert.rejects(query(wrong.href, 'SELECT 1 AS value'), { code: '28P01' })
  assert.equal(statSync(join(server.dataDir, 'sluice-password')).mode & 0o077, 0)
  assert.ok(new URL(server.url).password.length >= 20)
})

test('writes reach the disk unless the caller says that they need not', limit, async (t) => {
  const folder = temporaryFolder(t)
  const safe = await start(t, join(folder, 'safe'), { fsync: undefined })
  const fast = await start(t, join(folder, 'fast'), { fsync: false })
  assert.deepEqual(await query(safe.url, `SELECT current_setting('fsync') AS value`), ['on'])
  assert.deepEqual(await query(fast.url, `SELECT current_setting('fsync') AS value`), ['off'])
})

test('data of another version is refused with both versions named', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  await first.stop()
  writeFileSync(join(first.dataDir, 'PG_VERSION'), '12\n')
  await assert.rejects(start(t, dataDir), {
    code: 'start_failed',
    message: /made by Postgres 12, and this is Postgres \d+.*--fresh/,
  })
})

test('a folder that holds something else is left alone', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  await first.stop()
  await eraseEmbeddedPostgres({ dataDir, cacheDir: projectCache })
  mkdirSync(first.dataDir)
  writeFileSync(join(first.dataDir, 'letter.txt'), 'dear')
  await assert.rejects(start(t, dataDir), {
    code: 'start_failed',
    message: /is not empty and holds no Postgres cluster/,
  })
  assert.equal(readFileSync(join(first.dataDir, 'letter.txt'), 'utf8'), 'dear')
})

test('a failed start shows the end of the log', limit, async (t) => {
  const dataDir = join(temporaryFolder(t), 'pg')
  const first = await start(t, dataDir)
  await first.stop()
  writeFileSync(join(first.dataDir, 'postgresql.conf'), 'no_such_setting = 1\n')
  await assert.rejects(start(t, dataDir), { code: 'start_failed', message: /no_such_setting/ })
})

function useTemporaryFolder(t: TestContext, folder: string): void {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  atEnd(t, () => (before === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = before)))
}

const asRoot = { ...limit, skip: process.getuid?.() === 0 ? false : 'only root lends an account' }

test(
  'below a home that the lent account cannot enter, programs and data move to a folder of that account',
  asRoot,
  async (t) => {
    const folder = temporaryFolder(t)
    const home = join(folder, 'home')
    mkdirSync(join(folder, 'tmp'))
    mkdirSync(home, { mode: 0o700 })
    useTemporaryFolder(t, join(folder, 'tmp'))
    cpSync(join(findBinaries().binDir, '..'), join(home, 'pg'), { recursive: true, verbatimSymlinks: true })
    const options = {
      dataDir: join(home, '.sluice', 'postgres'),
      cacheDir: join(home, '.cache'),
      binDir: join(home, 'pg', 'bin'),
    }

    const first = await start(t, options.dataDir, options)
    assert.match(first.dataDir, new RegExp(`^${folder}/tmp/sluice-${first.account?.name}/`))
    assert.match(first.binaries.binDir, new RegExp(`^${folder}/tmp/`))
    assert.equal(statSync(join(first.dataDir, '..')).mode & 0o777, 0o700)
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    await first.stop()

    const second = await start(t, options.dataDir, options)
    assert.equal(second.dataDir, first.dataDir)
    assert.deepEqual(await query(second.url, 'SELECT value FROM kept'), [42])
  },
)

test('a folder that somebody else put in the temporary folder first is refused', asRoot, async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'tmp'))
  mkdirSync(join(folder, 'home'), { mode: 0o700 })
  useTemporaryFolder(t, join(folder, 'tmp'))
  for (const name of ['postgres', 'nobody']) mkdirSync(join(folder, 'tmp', `sluice-${name}`))
  chmodSync(folder, 0o711)
  const options = { dataDir: join(folder, 'home', 'pg'), cacheDir: join(folder, 'home', '.cache') }
  await assert.rejects(start(t, options.dataDir, options), {
    code: 'start_failed',
    message: /does not belong to the account/,
  })
})
