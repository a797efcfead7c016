import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import { createPostgresEventLog, prunePostgresEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const hour = 3_600_000

async function open(t: TestContext): Promise<{ database: Database; eventLog: EventLog }> {
  const { url } = await createTestDatabase(t)
  const database = createDatabase(
    { url: secret(url), poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'test' },
    { log, clock },
  )
  await database.start(t.signal)
  atEnd(t, () => database.stop())
  const eventLog = createPostgresEventLog({}, { database, clock, log })
  await eventLog.start(t.signal)
  atEnd(t, () => eventLog.stop())
  return { database, eventLog }
}

const record = (topic: string, key: string | null) => ({
  topic,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from('v'),
  headers: [],
})

const age = (database: Database, topic: string, below: number) =>
  database.query(
    `UPDATE sluice.log_record SET appended_at = now() - interval '2 hours' WHERE topic = $1 AND "offset" < $2`,
    [topic, below],
  )

const offsets = async (eventLog: EventLog, topic: string): Promise<number[]> =>
  (await eventLog.read({ topic, partition: 0, offset: 0, maxRecords: 10_000, maxWaitMs: 0 })).map(
    ({ offset }) => offset,
  )

test('records beyond the retention go from the low end, and reading below goes on at the earliest', async (t) => {
  const { database, eventLog } = await open(t)
  await eventLog.ensureTopics([
    { name: 'topic', partitions: 1 },
    { name: 'other', partitions: 1 },
  ])
  await eventLog.append(Array.from({ length: 10 }, () => record('topic', 'k')))
  await eventLog.append([record('other', 'k')])
  await age(database, 'topic', 6)
  assert.equal(await prunePostgresEventLog(database, { retentionMs: hour }), 6)
  assert.deepEqual(await offsets(eventLog, 'topic'), [6, 7, 8, 9])
  assert.deepEqual(await eventLog.bounds('topic', 0), { earliest: 6, next: 10 })
  assert.deepEqual(await eventLog.bounds('other', 0), { earliest: 0, next: 1 })
  assert.equal(await prunePostgresEventLog(database, { retentionMs: hour }), 0)
})

test('an emptied partition goes on counting where it was', async (t) => {
  const { database, eventLog } = await open(t)
  await eventLog.ensureTopics([{ name: 'topic', partitions: 1 }])
  await eventLog.append(Array.from({ length: 4_500 }, () => record('topic', 'k')))
  await age(database, 'topic', 4_500)
  assert.equal(await prunePostgresEventLog(database, { retentionMs: hour }), 4_500)
  assert.deepEqual(await eventLog.bounds('topic', 0), { earliest: 4_500, next: 4_500 })
  assert.deepEqual(await eventLog.append([record('topic', 'k')]), [{ partition: 0, offset: 4_500 }])
})

test('a young record keeps the older ones behind it', async (t) => {
  const { database, eventLog } = await open(t)
  await eventLog.ensureTopics([{ name: 'topic', partitions: 1 }])
  await eventLog.append(Array.from({ length: 4 }, () => record('topic', 'k')))
  await database.query(`UPDATE sluice.log_record SET appended_at = now() - interval '2 hours' WHERE "offset" IN (0, 2)`)
  assert.equal(await prunePostgresEventLog(database, { retentionMs: hour }), 1)
  assert.deepEqual(await offsets(eventLog, 'topic'), [1, 2, 3])
})

test('a compacted topic keeps the last record of every key, however old, and young ones', async (t) => {
  const { database, eventLog } = await open(t)
  await eventLog.ensureTopics([{ name: 'topic', partitions: 1, compacted: true }])
  await eventLog.append(['a', 'b', 'a', 'c', null, 'a', 'b', 'b'].map((key) => record('topic', key)))
  await age(database, 'topic', 7)
  assert.equal(await prunePostgresEventLog(database, { retentionMs: hour }), 4)
  assert.deepEqual(await offsets(eventLog, 'topic'), [3, 4, 5, 7])
})
