// One dead letter back into its lane, or why not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planReplay } from '../../../../shared/delivery/index.ts'
import { discard, redrive } from '../../../../shared/delivery/replay/redrive.ts'
import { incoming, take } from '../workbench.ts'
import { createPoisoned, operator as who, requested } from './poisoned.ts'

const operator = { ...who, runId: '00000000-0000-7000-8000-000000000000' }

test('a replayed event goes to the end of its lane, under the lock of its key', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1', key: 'k' })
  bench.poison.set('e2', () => new Error('tried later'))
  await bench.send({ id: 'e2', key: 'k' })
  await bench.send({ id: 'e3', key: 'k' })
  const id = await bench.letterOf('e1')
  const other = await bench.connect({ lockTimeoutMs: 50 })

  await bench.database.transaction(async (tx) => {
    await tx.query(`SELECT sluice.lock_lane('tested', 'k')`)
    await assert.rejects(redrive(other, id, operator), { code: 'lane_busy' })
  })
  assert.deepEqual(await redrive(bench.database, id, operator), { ok: true })

  const parked = await bench.rows('SELECT id, attempts, cause FROM sluice.parked ORDER BY position')
  assert.deepEqual(
    parked.map(({ id: event }) => event),
    ['e2', 'e3', 'e1'],
  )
  assert.deepEqual(parked.at(-1), { id: 'e1', attempts: 0, cause: null })
  assert.deepEqual(await bench.rows(`SELECT state FROM sluice.inbox WHERE id = 'e1'`), [{ state: 'parked' }])
  assert.deepEqual(await bench.rows('SELECT action, by, reason FROM sluice.replay'), [
    { action: 'replayed', by: 'test', reason: 'fixed' },
  ])
})

test('what dies again is a dead letter of its own, which may be replayed in its turn', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1' })
  const first = await bench.letterOf('e1')
  await redrive(bench.database, first, operator)
  for (const lane of await take(bench.database)) await bench.delivery.run(lane.incoming, lane.token)
  const second = await bench.letterOf('e1')

  assert.notEqual(second, first)
  const prints = await bench.rows('SELECT DISTINCT fingerprint FROM sluice.dead_letter')
  assert.equal(prints.length, 1, 'the same failure has one fingerprint, from the source as from the lane')
  assert.deepEqual(await redrive(bench.database, second, operator), { ok: true })
})

test('an event is refused when its schema does not accept it any more, or it never was one', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2'])
  await bench.send({ id: 'e1', data: { n: 1 } })
  await bench.delivery.reject({
    raw: Buffer.from('{'),
    headers: {},
    code: 'invalid_json',
    message: 'no JSON',
    tenant: 'acme',
  })
  const [broken] = await bench.rows<{ dead_letter_id: string }>(
    `SELECT dead_letter_id FROM sluice.dead_letter WHERE cause = 'invalid_json'`,
  )

  const invalid = await redrive(bench.database, await bench.letterOf('e1'), operator)
  assert.ok(!invalid.ok && invalid.reason === 'data_invalid')
  assert.match(invalid.message, /the schema does not accept its data any more: .*required/)
  const none = await redrive(bench.database, broken?.dead_letter_id ?? '', operator)
  assert.ok(!none.ok && none.reason === 'no_event')
  assert.deepEqual(await bench.rows('SELECT FROM sluice.parked'), [])

  const { groups } = await planReplay(bench.database, {})
  assert.deepEqual(
    groups.map(({ refused }) => refused),
    [{ data_invalid: 1 }, { no_event: 1 }],
  )
})

const event = (type: string) =>
  JSON.stringify({ specversion: '1.0', id: 'x', source: '/s', type, datacontenttype: 'text/plain', data: 'x' })
const refusedLetters = [
  { reason: 'plain_record', id: 'x', event: event('dev.knative.kafka.event') },
  { reason: 'unknown_type', id: 'x', event: event('of.nobody.v1') },
  { reason: 'no_identity', id: null, event: event('tool.call.requested.v1') },
  { reason: 'no_event', id: 'work', event: null },
]
for (const { reason, id, event: json } of refusedLetters) {
  test(`a dead letter that cannot be replayed says why, by a replay as by its plan: ${reason}`, async (t) => {
    const bench = await createPoisoned(t, [])
    const [letter] = await bench.rows<{ dead_letter_id: string }>(
      `INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, key, tenant, cause, message, fingerprint, attempts, raw, event,
         function_version, config_version)
       VALUES (gen_random_uuid(), 'tested', '/s', $1, 'k', 'acme', 'rejected', '', '', 1, '', $2, '', '') RETURNING dead_letter_id`,
      [id, json],
    )
    const moved = await redrive(bench.database, letter?.dead_letter_id ?? '', operator)
    assert.ok(!moved.ok && moved.reason === reason, JSON.stringify(moved))
    assert.deepEqual((await planReplay(bench.database, {})).groups[0]?.refused, { [reason]: 1 })
  })
}

test('an id that is done, in its lane, or another event’s is not replayed', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2'])
  // e1's place is taken by an event with other data: the dead letter of the second is its conflict
  bench.poison.delete('e1')
  await bench.send({ id: 'e1' })
  await bench.send({ id: 'e1', data: requested('another') })
  const conflict = await redrive(bench.database, await bench.letterOf('e1'), operator)
  assert.ok(!conflict.ok && conflict.reason === 'id_conflict')

  await bench.send({ id: 'e2' })
  const id = await bench.letterOf('e2')
  await bench.database.query(`UPDATE sluice.inbox SET state = 'done' WHERE id = 'e2'`)
  const done = await redrive(bench.database, id, operator)
  assert.ok(!done.ok && done.reason === 'already_done')
  await bench.database.query(`UPDATE sluice.inbox SET state = 'parked' WHERE id = 'e2'`)
  const waiting = await redrive(bench.database, id, operator)
  assert.ok(!waiting.ok && waiting.reason === 'in_lane')

  assert.deepEqual(await bench.rows('SELECT FROM sluice.replay'), [])
  assert.deepEqual(await bench.effects(), ['e1'])
})

test('a discarded event stays taken: its repeats are absorbed, and it is not replayed', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1' })
  const id = await bench.letterOf('e1')

  assert.deepEqual(await discard(bench.database, id, operator), { ok: true })
  const again = await discard(bench.database, id, operator)
  assert.ok(!again.ok && again.reason === 'already_discarded')
  const replayed = await redrive(bench.database, id, operator)
  assert.ok(!replayed.ok && replayed.reason === 'already_discarded')
  bench.poison.clear()
  const repeat = await bench.delivery.accept(incoming({ id: 'e1', data: requested('e1') }))
  assert.equal(repeat.outcome, 'duplicate')
})
