// What may go, and what stays however old it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, createDeliveryPruner } from '../../../../shared/delivery/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { contractOf, createWorkbench, finished, incoming, type Workbench } from '../workbench.ts'

const never = new AbortController().signal
const hour = 3_600_000
const limits = { sentMs: 24 * hour, doneMs: 15 * 24 * hour, replayedMs: 90 * 24 * hour }
const prune = ({ database }: Workbench, pruner = createDeliveryPruner(limits)) => pruner.prune(database, never)

const states = ['done', 'parked', 'dead'] as const

test('W-44: marks of done events go when no event of their age is taken any more; what is parked or dead stays for ever', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(
    `INSERT INTO sluice.inbox (function, source, id, state, data_hash, at)
     SELECT 'tested', '/test', state || ' ' || days, state, '', clock_timestamp() - days * interval '1 day'
     FROM unnest($1::text[]) AS state, unnest(ARRAY[14, 16, 4000]) AS days`,
    [states],
  )
  const pruned = await prune(bench)
  assert.equal(pruned.inbox, 2)
  const left = await bench.rows<{ id: string }>('SELECT id FROM sluice.inbox ORDER BY id')
  const stays = states.flatMap((state) => [14, 16, 4000].map((days) => `${state} ${days}`)).toSorted()
  assert.deepEqual(
    left.map(({ id }) => id),
    stays.filter((id) => id === 'done 14' || !id.startsWith('done')),
  )
})

test('sent rows of the outbox go a day after they were sent; what waits stays', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(
    `INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event, state, at, sent_at)
     SELECT 'tool.results', 'k', n, name, '', '{}', state, clock_timestamp() - made, clock_timestamp() - sent
     FROM (VALUES (1, 'sent long ago', 'sent', interval '3 days', interval '2 days'),
                  (2, 'sent lately after a long wait', 'sent', interval '3 days', interval '1 hour'),
                  (3, 'sent lately', 'sent', interval '1 hour', interval '1 hour'),
                  (4, 'waits for long', 'pending', interval '3 days', NULL)) AS r(n, name, state, made, sent)`,
  )
  assert.equal((await prune(bench)).outbox, 1)
  const left = await bench.rows<{ sequence: number }>('SELECT sequence FROM sluice.outbox ORDER BY sequence')
  assert.deepEqual(
    left.map(({ sequence }) => sequence),
    [2, 3, 4],
  )
})

interface KeyRow {
  readonly key: string
  readonly next: number
}

const keysOf = (bench: Workbench) => bench.rows<KeyRow>('SELECT key, next FROM sluice.outbox_key ORDER BY key')
/** What time would do to keys that were found idle. */
const longIdle = (bench: Workbench) =>
  bench.database.query(`UPDATE sluice.outbox_key SET idle_since = idle_since - interval '16 days'`)

test('a key of the outbox goes when it was not used since it was found idle long ago, and begins again at 1', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { emit }) => void emit(toolCallFinished, finished('c'), { key: id.slice(0, 1) }),
    bench,
  )
  const emit = async (...ids: readonly string[]) => {
    for (const id of ids) await delivery.accept(incoming({ id }))
    await bench.outbox.stop()
    while ((await bench.outbox.relay()) > 0);
  }
  const pruner = createDeliveryPruner({ ...limits, sentMs: 0 })
  const both = async () => {
    const first = await prune(bench, pruner) // removes the rows, and may find keys idle
    return first.outbox_key + (await prune(bench, pruner)).outbox_key
  }
  await emit('a1', 'a2', 'b1', 'c1')
  assert.equal(await both(), 0, 'found idle just now')
  await longIdle(bench)
  await emit('b2') // used since then, although nothing of it is left
  await bench.database.query(`DELETE FROM sluice.outbox`)
  // Without rows, but with something that is not known to be published.
  await bench.database.query(`UPDATE sluice.outbox_key SET sent = 0 WHERE key = 'c'`)

  assert.equal(await both(), 1)
  assert.deepEqual(await keysOf(bench), [
    { key: 'b', next: 3 },
    { key: 'c', next: 2 },
  ])
  await emit('a3')
  assert.deepEqual(await bench.rows(`SELECT sequence, state FROM sluice.outbox WHERE key = 'a'`), [
    { sequence: 1, state: 'sent' },
  ])
})

test('a key that is used while it is looked at stays', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(
    `INSERT INTO sluice.outbox_key (topic, key, next, sent, idle_since, idle_next) VALUES ('t', 'k', 5, 4, now() - interval '16 days', 5)`,
  )
  await bench.database.transaction(async (tx) => {
    await tx.query(`SELECT sluice.emit(ARRAY['t'], ARRAY['k'], ARRAY['id'], ARRAY[''], ARRAY['{}'])`)
    assert.equal((await prune(bench)).outbox_key, 0) // does not wait for it
  })
  assert.equal((await prune(bench)).outbox_key, 0)
  assert.deepEqual(await keysOf(bench), [{ key: 'k', next: 6 }])
})

test('more keys than one pass looks at are all looked at in turn', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(
    `INSERT INTO sluice.outbox_key (topic, key, next, sent, idle_since, idle_next)
     SELECT 't', n::text, 2, 1, now() - interval '16 days', 2 FROM generate_series(1, 12000) AS n`,
  )
  const pruner = createDeliveryPruner(limits)
  const passes = [await prune(bench, pruner), await prune(bench, pruner), await prune(bench, pruner)]
  assert.deepEqual(
    passes.map(({ outbox_key }) => outbox_key),
    [5_000, 5_000, 2_000],
  )
})

test('replayed dead letters go with their entry in the ledger; the dead, the discarded and the newest of a dead event stay', async (t) => {
  const bench = await createWorkbench(t)
  // name, state of the letter, days since its entry in the ledger, state of its event
  const letters = [
    ['replayed and done', 'replayed', 91, 'done'],
    ['replayed, its mark gone', 'replayed', 91, null],
    ['replayed lately', 'replayed', 89, 'done'],
    ['never replayed', 'dead', null, 'dead'],
    ['discarded', 'discarded', 91, 'dead'],
    ['replayed, and dead without a letter', 'replayed', 91, 'dead'],
  ] as const
  for (const [name, state, days, inbox] of letters) {
    await bench.database.query(
      `WITH letter AS (
         INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, tenant, cause, message, fingerprint, attempts, raw,
           function_version, config_version, state)
         VALUES (gen_random_uuid(), 'f', '/s', $1, '', 'rejected', $1, '', 1, '', '', '', $2) RETURNING dead_letter_id
       ), entry AS (
         INSERT INTO sluice.replay (dead_letter_id, run_id, action, by, reason, at)
         SELECT dead_letter_id, gen_random_uuid(), $2, '', '', now() - $3 * interval '1 day' FROM letter WHERE $3 IS NOT NULL
       )
       INSERT INTO sluice.inbox (function, source, id, state, data_hash) SELECT 'f', '/s', $1, $4::text, '' WHERE $4 IS NOT NULL`,
      [name, state, days, inbox],
    )
  }
  assert.equal((await prune(bench)).replay, 2)
  const left = await bench.rows<{ id: string }>('SELECT id FROM sluice.dead_letter')
  assert.deepEqual(
    left.map(({ id }) => id).toSorted(),
    letters
      .map(([name]) => name)
      .slice(2)
      .toSorted(),
  )
  assert.equal((await bench.rows('SELECT FROM sluice.replay')).length, 3)
})

test('a discarded event gives up its journal, unless the letter was of another event under its id', async (t) => {
  const bench = await createWorkbench(t)
  for (const [id, inbox] of [
    ['over', 'dead'],
    ['alive', 'parked'],
  ] as const) {
    await bench.database.query(
      `INSERT INTO sluice.inbox (function, source, id, state, data_hash) VALUES ('f', '/s', $1, $2, '')`,
      [id, inbox],
    )
    await bench.database.query(
      `INSERT INTO sluice.step (function, source, id, name, effect, state) VALUES ('f', '/s', $1, 'ask', 'read', 'done')`,
      [id],
    )
    const [letter] = await bench.rows<{ dead_letter_id: string }>(
      `INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, tenant, cause, message, fingerprint, attempts, raw,
         function_version, config_version)
       VALUES (gen_random_uuid(), 'f', '/s', $1, '', 'id_conflict', '', '', 1, '', '', '') RETURNING dead_letter_id`,
      [id],
    )
    await bench.database.query(`SELECT sluice.discard($1, NULL, gen_random_uuid(), '', '')`, [letter?.dead_letter_id])
  }
  assert.deepEqual(await bench.rows('SELECT id FROM sluice.step'), [{ id: 'alive' }])
})
