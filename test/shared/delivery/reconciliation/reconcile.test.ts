// Each check of reconciliation with an offender planted for it, and all of them on what delivery itself leaves behind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { provePositions, reconcile, type CheckName } from '../../../../shared/delivery/index.ts'
import { until } from '../../../support/index.ts'
import { createPoisoned, driveLanes, type Poisoned } from '../replay/poisoned.ts'

const patient = { graceMs: 60_000 }

/** Work of all kinds: done, dead with a copy, parked for later, published. */
async function worked(t: Parameters<typeof createPoisoned>[0]): Promise<Poisoned> {
  const bench = await createPoisoned(t, ['dead'])
  bench.poison.set('later', () => new Error('again, please'))
  for (const id of ['done', 'dead', 'later', 'behind']) await bench.send({ id, key: id === 'behind' ? 'later' : id })
  await until('everything is published', async () => {
    const rows = await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)
    return rows.length === 0
  })
  return bench
}

async function offenders(
  { database }: Poisoned,
  scope: 'all' | 'recent',
): Promise<ReadonlyMap<CheckName, readonly string[]>> {
  const results = await reconcile(database, { ...patient, scope })
  return new Map(results.filter((result) => result.offenders > 0).map(({ check, samples }) => [check, samples]))
}

test('what delivery leaves behind is clean, and every check has read some of it', async (t) => {
  const bench = await worked(t)
  await bench.database.query(`UPDATE sluice.lane SET token = gen_random_uuid(), lease_until = sluice.after_ms(5000)`)

  const results = await reconcile(bench.database, patient)

  assert.deepEqual(
    results.filter((result) => result.offenders > 0),
    [],
  )
  assert.deepEqual(
    results.filter(({ read }) => read === 0),
    [],
    'each check has read something',
  )
  assert.equal(results.length, 6)
})

const planted: readonly (readonly [CheckName, string, string, RegExp])[] = [
  [
    'outbox-position',
    'a row marked as sent that is nowhere in the log',
    `UPDATE sluice.outbox SET log_offset = NULL WHERE topic = 'tool.results'`,
    /^outbox tool\.results key s sequence 1, .*: marked as sent, without a position/,
  ],
  [
    'outbox-position',
    'a row that its key was published beyond',
    `UPDATE sluice.outbox SET state = 'pending' WHERE topic = 'tool.results'`,
    /passed over: its key is published beyond it/,
  ],
  [
    'outbox-position',
    'a row that nobody publishes',
    `UPDATE sluice.outbox SET state = 'pending', at = at - interval '2 minutes' WHERE topic = 'tool.results';
     UPDATE sluice.outbox_key SET sent = 0 WHERE topic = 'tool.results'`,
    /waits since /,
  ],
  [
    'outbox-position',
    'a row in a state that there is not',
    `UPDATE sluice.outbox SET state = 'odd' WHERE topic = 'tool.results'`,
    /^outbox tool\.results key s sequence 1, .*: odd is no state/,
  ],
  [
    'inbox-lease',
    'a lease that ran out and was taken over by nobody',
    `UPDATE sluice.lane SET token = gen_random_uuid(), lease_until = sluice.after_ms(-120000)`,
    /^lane tested key later, event later: leased until /,
  ],
  [
    'inbox-place',
    'an inbox row in a state that there is not',
    `UPDATE sluice.inbox SET state = 'odd' WHERE id = 'done'`,
    /^inbox tested, event done of \/test: odd is no state/,
  ],
  [
    'inbox-place',
    'an event that is parked in no lane',
    `DELETE FROM sluice.parked WHERE id = 'behind'`,
    /^inbox tested, event behind of \/test: parked, but in no lane/,
  ],
  [
    'inbox-place',
    'an event that is dead without a dead letter',
    `DELETE FROM sluice.dead_letter`,
    /event dead of \/test: dead, but there is no dead letter/,
  ],
  [
    'inbox-place',
    'a parked event that counts as done',
    `UPDATE sluice.inbox SET state = 'done' WHERE id = 'behind'`,
    /event behind of \/test: its inbox row says done/,
  ],
  [
    'lane-head',
    'a lane without an event',
    `INSERT INTO sluice.lane (function, key, tail, due_at) VALUES ('tested', 'empty', 1, now() + interval '1 day')`,
    /^lane tested key empty: it has no event/,
  ],
  [
    'lane-head',
    'an event whose key has no lane',
    `DELETE FROM sluice.lane`,
    /^parked tested key later, event (later|behind): its key has no lane/,
  ],
  [
    'lane-head',
    'a lane that is due and not taken',
    `UPDATE sluice.lane SET due_at = sluice.after_ms(-120000)`,
    /^lane tested key later: due since .* and taken by nobody/,
  ],
  [
    'dead-letter-copy',
    'a dead letter without a copy',
    `DELETE FROM sluice.outbox WHERE topic = 'tool.requests.dlq'`,
    /^dead letter .* of tested: no copy for tool\.requests\.dlq/,
  ],
  [
    'sequence-hole',
    'a sequence that was allotted and is gone',
    `UPDATE sluice.outbox_key SET next = next + 1 WHERE topic = 'tool.results'`,
    /^outbox tool\.results key s: 1 of the sequences 2 to 2 are missing/,
  ],
  [
    'sequence-hole',
    'a sequence that was never allotted',
    `UPDATE sluice.outbox SET sequence = 9 WHERE topic = 'tool.results'`,
    /sequence 9, .*: beyond what its key has allotted/,
  ],
]

for (const [check, title, plant, expected] of planted) {
  test(`${check} names ${title}`, async (t) => {
    const bench = await worked(t)
    for (const sql of plant.split(';')) await bench.database.query(sql)

    for (const scope of ['all', 'recent'] as const) {
      const found = await offenders(bench, scope)
      const samples = found.get(check) ?? []
      assert.match(samples[0] ?? 'none', expected)
      assert.equal(found.size, 1, `other checks: ${[...found.keys()].join(', ')}`)
    }
  })
}

test('what is under way is no offender', async (t) => {
  const bench = await worked(t)
  await bench.database.query(`UPDATE sluice.outbox SET state = 'pending' WHERE topic = 'tool.results'`)
  await bench.database.query(`UPDATE sluice.outbox_key SET sent = 0 WHERE topic = 'tool.results'`)
  await bench.database.query(`UPDATE sluice.lane SET due_at = sluice.after_ms(-1000)`)
  for (const scope of ['all', 'recent'] as const) assert.deepEqual(await offenders(bench, scope), new Map())
})

test('a sent event is where its row says, and one that is not is named', async (t) => {
  const bench = await worked(t)
  const clean = await provePositions({ limit: 100 }, bench)
  assert.deepEqual(clean, { read: 2, expired: 0, offenders: [] })

  await bench.database.query(`UPDATE sluice.outbox SET log_offset = 5 WHERE topic = 'tool.results'`)
  await bench.database.query(`UPDATE sluice.outbox SET id = 'another' WHERE topic = 'tool.requests.dlq'`)
  const { offenders: found } = await provePositions({ limit: 100 }, bench)
  assert.equal(found.length, 2)
  assert.ok(found.some((what) => /tool\.results\/\d+@5: the log has no event there$/.test(what)))
  assert.ok(found.some((what) => /event another at .*: the log has event dead there$/.test(what)))
})

test('after a replay everything is clean again', async (t) => {
  const bench = await worked(t)
  bench.poison.clear()
  await bench.database.query(`SELECT sluice.redrive(dead_letter_id, NULL, i.data_hash, gen_random_uuid(), 'test', '')
    FROM sluice.dead_letter JOIN sluice.inbox i USING (function, source, id)`)
  driveLanes(t, bench)
  await until('the lanes are empty', async () => (await bench.rows('SELECT FROM sluice.lane')).length === 0)
  for (const scope of ['all', 'recent'] as const) assert.deepEqual(await offenders(bench, scope), new Map())
})
