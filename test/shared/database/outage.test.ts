import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startEmbeddedPostgres } from '../../../local/postgres/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { atEnd, createTestDatabase, projectCache, proxyTo, startPostgresServer, until } from '../../support/index.ts'
import { makeDatabase, openDatabase } from './open-database.ts'

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected
const unavailable = code('database_unavailable')

test(
  'a server that crashes and comes back is used again, by pool and listeners, without a restart',
  { timeout: 90_000 },
  async (t) => {
    const server = await startPostgresServer(t)
    const database = await openDatabase(t, server.url)
    const heard: string[] = []
    await database.listen('channel', (payload) => heard.push(payload))
    const open = database.transaction(async (tx) => {
      await tx.query('SELECT 1')
      process.kill(server.pid, 'SIGQUIT')
      await server.exited
      await tx.query('SELECT 1')
    })
    await assert.rejects(open, unavailable)
    await assert.rejects(database.query('SELECT 1'), unavailable)
    await until('health says so', () => database.health().status === 'down')

    const again = await startEmbeddedPostgres({
      dataDir: server.dataDir,
      cacheDir: projectCache,
      port: server.port,
      fsync: false,
    })
    atEnd(t, () => again.stop())
    await until('a query succeeds', () => database.query('SELECT 1'))
    await until('the listener knows that it may have missed something', () => heard.includes(''), { limitMs: 20_000 })
    await until('notifications come again', async () => {
      await database.notify('channel', 'again')
      return heard.includes('again')
    })
    await until('health says so', () => database.health().status === 'up')
  },
)

test('a server that ends a connection in the breath that begins it harms nobody', async (t) => {
  const message = (type: string, body: string): Buffer => {
    const bytes = Buffer.from(`${type}....${body}`, 'latin1')
    bytes.writeUInt32BE(bytes.length - 1, 1)
    return bytes
  }
  const ended = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0')
  const greeting = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I'), ended])
  const server = createServer((client) => client.once('data', () => client.end(greeting)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => void server.close())
  const { port } = server.address() as AddressInfo
  const database = makeDatabase(`postgres://test:test@127.0.0.1:${port}/test`, { startTimeoutMs: 0 })
  await assert.rejects(database.start(t.signal), unavailable)
})

test('health turns by itself when the server comes back and nobody asks', { timeout: 60_000 }, async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const { proxy, proxied } = await proxyTo(t, url)
  const database = await openDatabase(t, proxied)
  proxy.cut()
  await assert.rejects(database.query('SELECT 1'), unavailable)
  assert.equal(database.health().status, 'down')
  proxy.mend()
  await until('health is up', () => database.health().status === 'up', { limitMs: 15_000 })
})

test(
  'a COMMIT whose answer is lost is database_unavailable, whether it was stored or not',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const observer = await openDatabase(t, url)
    await observer.query('CREATE TABLE item (id int)')
    const { proxy, proxied } = await proxyTo(t, url)
    const database = await openDatabase(t, proxied)
    const committing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO item VALUES (1)')
      proxy.swallowAnswers()
    })
    const failed = assert.rejects(committing, unavailable)
    await until('it is stored', async () => (await observer.query('SELECT FROM item')).rowCount === 1)
    proxy.cut()
    await failed
    proxy.mend()
    assert.equal((await until('the pool has mended', () => database.query('SELECT FROM item'))).rowCount, 1)
  },
)

test(
  'work that swallows the loss of the connection, or fails by it in its own way, is told of the loss',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    for (const end of [() => undefined, () => Promise.reject(new TypeError('by the way'))]) {
      const database = await openDatabase(t, proxied)
      const broken = database.transaction(async (tx) => {
        await tx.query('SELECT 1')
        proxy.cut()
        await tx.savepoint(() => tx.query('SELECT 1')).catch(() => undefined)
        proxy.mend()
        await end()
      })
      await assert.rejects(broken, unavailable)
    }
  },
)

test(
  'connections that break while idle, or are ended by an administrator, harm nobody',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const observer = await openDatabase(t, url)
    const database = await openDatabase(t, url, { applicationName: 'victim' })
    await Promise.all([1, 2, 3].map(() => database.query('SELECT pg_sleep(0.05)')))
    await observer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
    await until('the pool has mended', () => database.query('SELECT 1'))
    const running = assert.rejects(database.query('SELECT pg_sleep(20)'), unavailable)
    await until(
      'it was ended',
      async () =>
        (
          await observer.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim' AND query LIKE '%pg_sleep(20)%'",
          )
        ).rowCount > 0,
    )
    await running
    await until('the pool has mended', () => database.query('SELECT 1'))
  },
)

test(
  'a server that goes silent fails statements soon after their timeout, and start within its own',
  { timeout: 40_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    const database = await openDatabase(t, proxied, { statementTimeoutMs: 200, connectTimeoutMs: 500 })
    proxy.freeze()
    const started = performance.now()
    await assert.rejects(database.query('SELECT 1'), unavailable)
    assert.ok(performance.now() - started < 8_000)
    const other = makeDatabase(proxied, { connectTimeoutMs: 200, startTimeoutMs: 500 })
    await assert.rejects(other.start(t.signal), unavailable)
    assert.ok(performance.now() - started < 12_000)
  },
)

test(
  'of connections that died in silence one is waited for, and those as old are not lent any more',
  { timeout: 60_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    const database = await openDatabase(t, proxied, { statementTimeoutMs: 200 })
    await Promise.all(Array.from({ length: 4 }, () => database.query('SELECT pg_sleep(0.1)'))) // the pool is full
    proxy.freezePresent()
    await database.probe(t.signal)
    for (let query = 1; query <= 8; query += 1) await database.query('SELECT 1')
  },
)

test(
  'a server that stands still is waited for by nobody new, and found again when it wakes',
  { timeout: 60_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    const database = await openDatabase(t, proxied, { connectTimeoutMs: 500 })
    proxy.freeze()
    await assert.rejects(database.probe(t.signal), unavailable)
    const connections = proxy.open
    for (let call = 1; call <= 20; call += 1) {
      await assert.rejects(database.query('SELECT 1'), unavailable)
      await assert.rejects(
        database.transaction(async () => assert.fail('a transaction began')),
        unavailable,
      )
    }
    assert.equal(proxy.open, connections, 'nobody tried')
    proxy.mend()
    await until('a query succeeds', () => database.query('SELECT 1'), { limitMs: 20_000 })
  },
)

test(
  'a server that stands still is known to do so, also when no connection is idle to ask over',
  { timeout: 60_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    for (const poolSize of [1, 2]) {
      const database = await openDatabase(t, proxied, { poolSize })
      database.query('SELECT pg_sleep(60)').catch(() => undefined) // it is lent to the end
      proxy.freeze()
      await assert.rejects(database.probe(t.signal), unavailable)
      const connections = proxy.open
      for (let call = 1; call <= 20; call += 1) await assert.rejects(database.query('SELECT 1'), unavailable)
      assert.equal(proxy.open, connections, 'nobody tried')
      proxy.mend()
      await until('the probe succeeds', () => database.probe(t.signal).then(() => true), { limitMs: 20_000 })
    }
  },
)
