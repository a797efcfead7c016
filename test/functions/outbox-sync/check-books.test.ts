import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBooks } from '../../../functions/outbox-sync/check-books.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { allTopics } from '../../../shared/events/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase, testLogger } from '../support/platform.ts'

test('offenders are counted by check, and a round that could not read leaves the time of the last success', async (t) => {
  const { url } = await createTestDatabase(t)
  const log = testLogger()
  const database = await openDatabase(t, url, log)
  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  await eventLog.ensureTopics(allTopics)
  const instruments = createInstruments({ function: 'outbox-sync' })
  const deps = { database, eventLog, instruments, clock, log }
  const offenders = async (): Promise<Readonly<Record<string, number>>> => {
    const { values } = await instruments.reconciliationOffenders.get()
    return Object.fromEntries(values.map(({ labels, value }) => [labels.check, value]))
  }
  const clean = {
    'outbox-position': 0,
    'inbox-lease': 0,
    'inbox-place': 0,
    'lane-head': 0,
    'dead-letter-copy': 0,
    'sequence-hole': 0,
    'log-position': 0,
  }

  await checkBooks(deps)
  assert.deepEqual(await offenders(), clean)
  const lastSuccess = (await instruments.reconciliationLastSuccess.get()).values[0]?.value ?? 0
  assert.ok(lastSuccess > 0)

  await database.query(`INSERT INTO sluice.lane (function, key, tail, due_at) VALUES ('f', 'k', 1, now())`)
  await database.query(`INSERT INTO sluice.outbox_key (topic, key, next, sent) VALUES ('tool.results', 'k', 2, 1)`)
  await database.query(`INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event, state, partition, log_offset, sent_at)
    VALUES ('tool.results', 'k', 1, 'e', 'local', '{}', 'sent', 0, 7, now())`)
  await checkBooks(deps)
  assert.deepEqual(await offenders(), { ...clean, 'lane-head': 1, 'log-position': 1 })

  await database.query('ALTER TABLE sluice.lane RENAME TO lane_away')
  const before = (await instruments.reconciliationLastSuccess.get()).values[0]?.value
  await assert.rejects(checkBooks(deps))
  assert.equal((await instruments.reconciliationLastSuccess.get()).values[0]?.value, before)
})
