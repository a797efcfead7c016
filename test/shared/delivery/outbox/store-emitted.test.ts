// Which emitted events are leased by the statement that stores them.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Queryable } from '../../../../shared/database/index.ts'
import { claimOutbox, settleOutbox, type OutboxRow } from '../../../../shared/delivery/outbox/claim.ts'
import { storeEmitted } from '../../../../shared/delivery/outbox/store-emitted.ts'
import { createWorkbench } from '../workbench.ts'

const topic = 'tool.results'

const store = (tx: Queryable, keys: readonly string[], token: string | undefined) =>
  storeEmitted(
    tx,
    keys.map((key) => ({ topic, key, id: randomUUID(), tenant: 'acme', json: '{}' })),
    token,
  )

interface Settling {
  readonly token: string
  readonly rows: readonly OutboxRow[]
  readonly delayMs?: number
}

const row = (key: string, sequence: number): OutboxRow => ({ topic, key, sequence, json: '{}' })

/** All of these are in the log. */
const settle = (database: Queryable, { token, rows, delayMs = 0 }: Settling) =>
  settleOutbox(
    database,
    { token, keys: rows, rows },
    { sent: rows.map((sent, offset) => ({ ...sent, partition: 0, offset })), delayMs },
  )

test('an idle key is leased with its row, new or not; a claim does not get it until the lease ran out', async (t) => {
  const { database, rows } = await createWorkbench(t)
  const token = randomUUID()
  assert.deepEqual(await store(database, ['a'], token), [1])
  assert.equal(await claimOutbox(database), undefined)
  assert.deepEqual(await settle(database, { token, rows: [row('a', 1)] }), [])
  assert.deepEqual(await store(database, ['a'], token), [2])
  assert.equal(await claimOutbox(database), undefined)

  assert.deepEqual(await rows('SELECT next, sent, token, epoch FROM sluice.outbox_key'), [
    { next: 3, sent: 1, token, epoch: 2 },
  ])
  await database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() - interval '1 ms'`)
  assert.deepEqual(
    (await claimOutbox(database))?.rows.map(({ sequence }) => sequence),
    [2],
  )
  assert.deepEqual(await settle(database, { token, rows: [row('a', 2)] }), [], 'the token holds nothing any more')
  assert.deepEqual(await rows('SELECT sent FROM sluice.outbox_key'), [{ sent: 1 }])
  assert.deepEqual(await rows('SELECT state FROM sluice.outbox ORDER BY sequence'), [
    { state: 'sent' },
    { state: 'pending' },
  ])
})

test('a key with something pending is not leased, though the same token holds it or its lease ran out', async (t) => {
  const { database, rows } = await createWorkbench(t)
  const token = randomUUID()
  assert.deepEqual(await store(database, ['a'], token), [1])
  assert.deepEqual(await store(database, ['a'], token), [null])
  assert.deepEqual(await store(database, ['a', 'a'], token), [null, null])
  assert.deepEqual(await settle(database, { token, rows: [row('a', 1)] }), [{ topic, key: 'a' }])
  assert.deepEqual(await store(database, ['a'], token), [null])
  await database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() - interval '1 ms'`)
  assert.deepEqual(await store(database, ['a'], token), [null])
  assert.deepEqual(await rows('SELECT next, sent FROM sluice.outbox_key'), [{ next: 7, sent: 1 }])
})

test('a key that rests after a failure is not leased', async (t) => {
  const { database } = await createWorkbench(t)
  const token = randomUUID()
  await store(database, ['a'], token)
  await settle(database, { token, rows: [row('a', 1)], delayMs: 60_000 })
  assert.deepEqual(await store(database, ['a'], token), [null])
  assert.deepEqual(await store(database, ['a', 'b'], token), [null, 1])
})

test('of one transaction each key is leased for itself, all that it has of it, in the order of the events', async (t) => {
  const { database, rows } = await createWorkbench(t)
  const token = randomUUID()
  await store(database, ['b', 'c'], undefined)
  await settle(database, { token: (await claimOutbox(database, [row('b', 1)]))?.token ?? '', rows: [row('b', 1)] })
  assert.deepEqual(await store(database, ['b', 'a', 'c', 'b', 'a', 'a'], token), [2, 1, null, 3, 2, 3])
  assert.deepEqual(await rows('SELECT key, next, token FROM sluice.outbox_key ORDER BY key'), [
    { key: 'a', next: 4, token },
    { key: 'b', next: 4, token },
    { key: 'c', next: 3, token: null },
  ])
})

test('without a token nothing is leased, nor when an older process stores, which knows of no lease', async (t) => {
  const { database } = await createWorkbench(t)
  assert.deepEqual(await store(database, ['a'], undefined), [null])
  assert.deepEqual(await store(database, ['a', 'b'], undefined), [null, null])
  const values = [topic, 'c', 'id', 'acme', '{}']
  const parameters = 'p_topic => $1, p_key => $2, p_id => $3, p_tenant => $4, p_event => $5'
  await database.query(`SELECT sluice.emit_one(${parameters})`, values)
  await database.query(
    'SELECT sluice.emit(p_topics => $1, p_keys => $2, p_ids => $3, p_tenants => $4, p_events => $5)',
    values.map((value) => [value, value]),
  )
  assert.equal((await claimOutbox(database))?.rows.length, 6)
})

test('a transaction that is rolled back leaves no lease and no sequence', async (t) => {
  const { database, rows } = await createWorkbench(t)
  const token = randomUUID()
  await assert.rejects(
    database.transaction(async (tx) => {
      assert.deepEqual(await store(tx, ['a'], token), [1])
      throw new Error('no')
    }),
  )
  assert.deepEqual(await rows('SELECT FROM sluice.outbox_key'), [])
  assert.deepEqual(await store(database, ['a'], token), [1])
})
