import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createPostgresEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract } from '../../contracts/event-log/index.ts'
import { atEnd, createTestDatabase, proxyTo, until } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const limits = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'test' }

eventLogContract('postgres', async (t) => {
  const { url } = await createTestDatabase(t)
  let names = 0
  return {
    uniqueName: (name) => `${name}-${(names += 1)}`,
    open: async () => (await open(t, url)).eventLog,
    openThroughProxy: async () => {
      const { proxy, proxied } = await proxyTo(t, url)
      return { log: (await open(t, proxied)).eventLog, proxy }
    },
  }
})

async function open(t: TestContext, url: string): Promise<{ database: Database; eventLog: EventLog }> {
  const database = createDatabase({ ...limits, url: secret(url) }, { log, clock })
  await database.start(t.signal)
  atEnd(t, () => database.stop())
  const eventLog = createPostgresEventLog({ pollMs: 200 }, { database, clock, log })
  await eventLog.start(t.signal)
  atEnd(t, () => eventLog.stop())
  return { database, eventLog }
}

const record = (topic: string, key: string) => ({ topic, key: Buffer.from(key), value: Buffer.from(key), headers: [] })

test(
  'a writer that is slow to commit holds up the offsets behind its own: readers skip nothing',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const { database, eventLog } = await open(t, url)
    await eventLog.ensureTopics([{ name: 'topic', partitions: 1 }])
    const read = { topic: 'topic', partition: 0, offset: 0, maxRecords: 10, maxWaitMs: 0 }
    let second: Promise<unknown> | undefined
    await database.transaction(async (tx) => {
      // What another process does between the allotment of an offset and its COMMIT.
      await tx.query("UPDATE sluice.log_partition SET next = next + 1 WHERE topic = 'topic'")
      await tx.query(
        `INSERT INTO sluice.log_record (topic, partition, "offset", headers, timestamp_ms) VALUES ('topic', 0, 0, '[]', 0)`,
      )
      second = eventLog.append([record('topic', 'second')])
      await until(
        'the second writer waits',
        async () =>
          (
            await database.query(
              "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
          ).rowCount === 1,
      )
      assert.deepEqual(await eventLog.read(read), [])
    })
    assert.deepEqual(await second, [{ partition: 0, offset: 1 }])
    assert.deepEqual(
      (await eventLog.read(read)).map(({ offset }) => offset),
      [0, 1],
    )
  },
)

test(
  'writers that name the same partitions in another order never wait in a circle',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const { database, eventLog: one } = await open(t, url)
    const { eventLog: other } = await open(t, url)
    await one.ensureTopics(['a', 'b'].map((name) => ({ name, partitions: 1 })))
    for (const eventLog of [one, other]) await eventLog.append([record('a', 'k')])
    const waiting = (count: number) => async (): Promise<boolean> =>
      (
        await database.query(
          "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
      ).rowCount === count
    let appends: Promise<unknown>[] = []
    await database.transaction(async (tx) => {
      await tx.query("SELECT FROM sluice.log_partition WHERE topic = 'b' FOR UPDATE")
      appends = [other.append([record('b', 'k'), record('a', 'k')])]
      await until('the first writer waits', waiting(1))
      appends.push(one.append([record('a', 'k'), record('b', 'k')]))
      await until('both writers wait', waiting(2))
    })
    await Promise.all(appends)
    assert.deepEqual(await one.bounds('a', 0), { earliest: 0, next: 4 })
  },
)

test(
  'a reader finds a record although the process that appended it died before it could notify',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const { database, eventLog } = await open(t, url)
    await eventLog.ensureTopics([{ name: 'topic', partitions: 1 }])
    const read = { topic: 'topic', partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 20_000 }
    await eventLog.read({ ...read, maxWaitMs: 100 })
    const listens = "SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    await until('it listens', async () => (await database.query(listens)).rowCount === 1)
    await eventLog.read({ ...read, maxWaitMs: 300 }) // the wake that follows a LISTEN is over
    const waiting = eventLog.read(read)
    await database.query(
      `INSERT INTO sluice.log_record (topic, partition, "offset", headers, timestamp_ms)
       SELECT 'topic', 0, 0, '[]', 0 FROM pg_sleep(0.3)`,
    )
    const started = performance.now()
    assert.equal((await waiting).length, 1)
    assert.ok(performance.now() - started < 5_000)
  },
)

test('start names the missing migrations', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  await assert.rejects(
    open(t, url),
    (error) => error instanceof SluiceError && error.code === 'start_failed' && /migrations/.test(error.message),
  )
})
