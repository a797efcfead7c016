import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createTestDatabase, until } from '../../support/index.ts'
import { makeDatabase, openDatabase } from './open-database.ts'

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected

test('every connection carries the limits and the name of the process', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, {
    poolSize: 3,
    statementTimeoutMs: 1_234,
    lockTimeoutMs: 567,
    idleInTransactionTimeoutMs: 8_901,
    applicationName: 'memory-replicator',
  })
  const settings = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name']
  const seen = await Promise.all(
    [1, 2, 3].map(() =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query<{ pid: number; values: string[] }>(
          'SELECT pg_backend_pid() AS pid, array(SELECT current_setting(name) FROM unnest($1::text[]) AS name) AS values',
          [settings],
        )
        await tx.query('SELECT pg_sleep(0.05)')
        return rows[0]
      }),
    ),
  )
  assert.equal(new Set(seen.map((row) => row?.pid)).size, 3)
  for (const row of seen) assert.deepEqual(row?.values, ['1234ms', '567ms', '8901ms', 'memory-replicator'])
})

test('an int8 is a number, or an error beyond what a number holds exactly', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 1 })
  const exact = [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
  for (const value of exact)
    assert.deepEqual((await database.query(`SELECT '${value}'::int8 AS n`)).rows, [{ n: value }])
  for (const value of ['9007199254740992', '-9007199254740992', '9223372036854775807']) {
    await assert.rejects(database.query(`SELECT '${value}'::int8 AS n`), code('number_out_of_range'))
    assert.deepEqual((await database.query(`SELECT '${value}'::int8::text AS n`)).rows, [{ n: value }])
  }
})

test('a statement that runs too long is ended by the server', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { statementTimeoutMs: 100 })
  await assert.rejects(database.query('SELECT pg_sleep(30)'), { code: '57014' })
})

test('a process that uses all its connections itself still knows that the database answers', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 2, connectTimeoutMs: 100 })
  const over = Promise.withResolvers<void>()
  const busy = [1, 2].map(() => database.transaction(() => over.promise))
  await database.probe(AbortSignal.timeout(10_000))
  over.resolve()
  await Promise.all(busy)
})

test('a pool that is in use answers database_unavailable after the connect timeout, and serves again', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 1, connectTimeoutMs: 100 })
  await database.transaction(async (tx) => {
    await tx.query('SELECT 1')
    await assert.rejects(database.query('SELECT 1'), code('database_unavailable'))
  })
  assert.equal((await database.query('SELECT 1')).rowCount, 1)
})

test('start fails at once when the credentials or the name are wrong, and leaves nothing open', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const [wrongPassword, wrongName] = [new URL(url), new URL(url)]
  wrongPassword.password = 'wrong'
  wrongName.pathname = '/nowhere'
  for (const wrong of [wrongPassword, wrongName]) {
    const database = makeDatabase(wrong.href)
    const started = performance.now()
    await assert.rejects(database.start(t.signal), code('database_unavailable'))
    assert.ok(performance.now() - started < 5_000)
    await assert.rejects(database.query('SELECT 1'), code('database_unavailable'))
  }
})

test('start ends with the reason of its signal', async () => {
  const database = makeDatabase('postgres://nobody@127.0.0.1:1/nowhere')
  const reason = new Error('not wanted any more')
  const stopping = new AbortController()
  const starting = database.start(stopping.signal)
  stopping.abort(reason)
  await assert.rejects(starting, (error) => error === reason)
})

test(
  'stop lets work under way finish, closes every connection, and may be called again',
  { timeout: 20_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const observer = await openDatabase(t, url)
    const database = makeDatabase(url, { applicationName: 'stopping' })
    await database.start(t.signal)
    await database.listen('channel', () => undefined)
    const work = database.query('SELECT pg_sleep(0.2)')
    await Promise.all([database.stop(), database.stop()])
    await work
    // a server process ends a moment after its connection
    const connections = "SELECT FROM pg_stat_activity WHERE application_name = 'stopping'"
    await until('no connection is left', async () => (await observer.query(connections)).rowCount === 0)
    await database.stop()
    await assert.rejects(database.query('SELECT 1'), code('database_unavailable'))
    await assert.rejects(
      database.listen('channel', () => undefined),
      code('database_unavailable'),
    )
  },
)

test('stop does not wait for work longer than its time', { timeout: 20_000 }, async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = makeDatabase(url, { stopTimeoutMs: 100 })
  await database.start(t.signal)
  const abandoned = assert.rejects(database.query('SELECT pg_sleep(5)'), code('database_unavailable'))
  const started = performance.now()
  await database.stop()
  assert.ok(performance.now() - started < 2_000)
  await abandoned
})

test('health follows what callers see, without asking anything itself', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = makeDatabase(url)
  assert.equal(database.health().status, 'unknown')
  await database.start(t.signal)
  assert.equal(database.health().status, 'up')
  await database.stop()
  await until('it is known to be closed', () => database.health().status !== 'up')
})
