import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPrune } from '../../../functions/outbox-sync/prune.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase } from '../support/platform.ts'

const never = new AbortController().signal

async function fill(database: Database, count: number): Promise<void> {
  await database.query(
    `INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event, state, at, sent_at)
     SELECT 'topic', state || ' ' || age, n, gen_random_uuid()::text, 'local', '{}', state, clock_timestamp() - age * interval '1 hour', CASE WHEN state = 'sent' THEN clock_timestamp() - age * interval '1 hour' END
     FROM generate_series(1, $1) AS n, unnest(ARRAY['sent', 'pending']) AS state, unnest(ARRAY[1, 25]) AS age`,
    [count],
  )
  await database.query(
    `INSERT INTO agent.idempotency_key (tenant, key, request_hash, status, answer, at)
     SELECT 'local', age || ' ' || n, '', 202, '{}', clock_timestamp() - age * interval '1 hour'
     FROM generate_series(1, $1) AS n, unnest(ARRAY[1, 25]) AS age`,
    [count],
  )
}

test(
  'W-44: what was sent or answered more than a day ago goes, in as many batches as it takes; what waits stays',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const database = await openDatabase(t, url)
    await fill(database, 1_500)
    const instruments = createInstruments({ function: 'outbox-sync' })
    const prune = createPrune({}, { database, instruments })
    assert.equal(await prune(never), 3_000)
    const { rows } = await database.query(
      'SELECT key, count(*)::integer AS count FROM sluice.outbox GROUP BY key ORDER BY key',
    )
    assert.deepEqual(rows, [
      { key: 'pending 1', count: 1_500 },
      { key: 'pending 25', count: 1_500 },
      { key: 'sent 1', count: 1_500 },
    ])
    assert.equal((await database.query('SELECT FROM agent.idempotency_key')).rowCount, 1_500)
    assert.equal(await prune(never), 0)
    assert.match(await instruments.registry.metrics(), /sluice_rows_pruned_total\{[^}]*table="outbox"[^}]*\} 1500/)
  },
)

test('a pass that is to stop removes nothing more', { timeout: 30_000 }, async (t) => {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  await fill(database, 10)
  const instruments = createInstruments({ function: 'outbox-sync' })
  assert.equal(await createPrune({}, { database, instruments })(AbortSignal.abort()), 0)
})

test('a key of the outbox stays for as long as a dead-letter topic may have its records', async (t) => {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  await database.query(
    `INSERT INTO sluice.outbox_key (topic, key, next, sent, idle_since, idle_next)
     SELECT 'tool.requests.dlq', days || ' days', 2, 1, clock_timestamp() - days * interval '1 day', 2 FROM unnest(ARRAY[29, 32]) AS days`,
  )
  const prune = createPrune({}, { database, instruments: createInstruments({ function: 'outbox-sync' }) })
  assert.equal(await prune(never), 1)
  assert.deepEqual((await database.query('SELECT key FROM sluice.outbox_key')).rows, [{ key: '29 days' }])
})
