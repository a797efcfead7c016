import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../shared/database/index.ts'
import { createOutbox, readLane, releaseLane, skipHead } from '../../../shared/delivery/index.ts'
import type { MemoryRecordWritten } from '../../../shared/events/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { until } from '../../support/index.ts'
import { metric, startMemoryService, startReplicator } from '../support/memory.ts'
import { testLogger } from '../support/platform.ts'
import { chainOf, deliver, signed } from '../support/memory-writes.ts'

type Chain = readonly [MemoryRecordWritten, MemoryRecordWritten, MemoryRecordWritten]

const three = (key: string, tenant = 'local'): Chain =>
  chainOf(key, ['one', 'two', 'three'], tenant) as unknown as Chain

async function replicaOf(database: Database, key: string, tenant = 'local'): Promise<readonly (readonly unknown[])[]> {
  const { rows } = await database.query<{ sequence: number; content: string; newest: boolean }>(
    'SELECT sequence, content, newest FROM agent.memory_replica WHERE tenant = $1 AND key = $2 ORDER BY sequence',
    [tenant, key],
  )
  return rows.map(({ sequence, content, newest }) => [sequence, content, newest])
}

const parkedOf = async (database: Database, stream: string): Promise<readonly (string | null)[]> =>
  (
    await database.query<{ cause: string | null }>(
      `SELECT cause FROM sluice.parked WHERE function = 'memory-replicator' AND key = $1 ORDER BY position`,
      [stream],
    )
  ).rows.map(({ cause }) => cause)

test('the replica', { timeout: 120_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const { replicator } = await startReplicator(t, memory)
  const { database } = memory

  await t.test('has every write in order, the newest marked', async () => {
    for (const write of three('plain')) assert.equal(await deliver(replicator, write), 200)
    assert.deepEqual(await replicaOf(database, 'plain'), [
      [1, 'one', false],
      [2, 'two', false],
      [3, 'three', true],
    ])
  })

  await t.test('takes a write once, however often and under whatever id it comes', async () => {
    const [first, second] = three('again')
    const ids = Array.from({ length: 5 }, () => deliver(replicator, first, { id: 'same' }))
    assert.ok((await Promise.all(ids)).every((status) => status === 200 || status === 503))
    assert.equal(await deliver(replicator, second), 200)
    assert.equal(await deliver(replicator, first, { id: 'another' }), 200)
    assert.equal(await deliver(replicator, second, { id: 'third' }), 200)
    assert.deepEqual(await replicaOf(database, 'again'), [
      [1, 'one', false],
      [2, 'two', true],
    ])
  })

  await t.test(
    'does not take a write after a gap: that memory stops, the others go on, and an alarm is raised',
    async () => {
      const [first, second, third] = three('gap')
      const before = await faults()
      assert.equal(await deliver(replicator, first), 200)
      assert.equal(await deliver(replicator, third), 202)
      assert.equal(await deliver(replicator, second), 202) // its place in the lane is behind
      for (const write of three('beside')) assert.equal(await deliver(replicator, write), 200)
      assert.deepEqual(await replicaOf(database, 'gap'), [[1, 'one', true]])
      assert.deepEqual(await parkedOf(database, 'local/gap'), ['wal_gap', null])
      assert.equal(await faults(), before + 1)
      await until('the gauge shows it', async () => (await metric(replicator, 'sluice_memory_streams_stopped')) === 1)
    },
  )

  await t.test('does not take a write that was altered, nor one that follows another chain', async () => {
    const [first, second] = three('flip')
    await deliver(replicator, first)
    const before = await faults()
    assert.equal(await deliver(replicator, { ...second, content: 'twp' }), 202)
    assert.deepEqual(await parkedOf(database, 'local/flip'), ['wal_mismatch'])
    await deliver(replicator, three('fork')[0])
    assert.equal(await deliver(replicator, signed({ ...three('fork')[1], previous: 'ab'.repeat(32) })), 202)
    assert.deepEqual(await replicaOf(database, 'fork'), [[1, 'one', true]])
    assert.equal(await faults(), before + 2)
  })

  await t.test('keeps memories of two tenants with one key apart', async () => {
    for (const tenant of ['one', 'two'])
      for (const write of three('shared', tenant)) assert.equal(await deliver(replicator, write, { tenant }), 200)
    assert.equal((await replicaOf(database, 'shared', 'one')).length, 3)
    assert.equal((await replicaOf(database, 'shared', 'two')).length, 3)
    // A write of one tenant under the name of the other is not what it says it is.
    assert.equal(await deliver(replicator, three('stolen', 'one')[0], { tenant: 'two' }), 202)
    assert.deepEqual(await replicaOf(database, 'stolen', 'two'), [])
  })

  async function faults(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${replicator.operationsPort}/metrics`)
    const lines = (await response.text())
      .split('\n')
      .filter((line) => line.startsWith('sluice_memory_wal_faults_total{'))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
})

test('a replay of the whole log from its beginning changes nothing', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const { replicator, startSource } = await startReplicator(t, memory)
  const stop = await startSource()
  for (const content of ['one', 'two']) await memory.remember({ key: 'a', content })
  const { position } = await memory.remember({ key: 'b', content: 'other' })
  await memory.recall({ after: position, wait_ms: 10_000 })
  await until('nothing is unapplied', async () => (await unapplied(memory.database)) === 0)
  const before = await memory.database.query('SELECT * FROM agent.memory_replica ORDER BY key, sequence')
  await stop()
  await memory.database.query(
    `DELETE FROM sluice.log_group_offset WHERE consumer_group = 'memory-replicator-memory-wal'`,
  )
  await startSource()
  await until(
    'the inbox has absorbed them',
    async () => (await metric(replicator, 'sluice_inbox_duplicates_total')) === 3,
  )
  const after = await memory.database.query('SELECT * FROM agent.memory_replica ORDER BY key, sequence')
  assert.deepEqual(after.rows, before.rows)
})

test('a replica that was lost is built again from the log', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const { startSource } = await startReplicator(t, memory)
  const stop = await startSource()
  for (const content of ['one', 'two', 'three']) await memory.remember({ key: 'a', content })
  await memory.recall({ after: '3@a', wait_ms: 10_000 })
  const digest = `SELECT encode(checksum, 'hex') AS checksum FROM agent.memory_replica WHERE newest`
  const before = (await memory.database.query(digest)).rows
  await until('nothing is unapplied', async () => (await unapplied(memory.database)) === 0)
  await stop()
  await memory.database.query(`DELETE FROM agent.memory_replica`)
  await memory.database.query(`DELETE FROM sluice.inbox WHERE function = 'memory-replicator'`)
  await memory.database.query(
    `DELETE FROM sluice.log_group_offset WHERE consumer_group = 'memory-replicator-memory-wal'`,
  )
  await startSource()
  const found = await memory.recall({ after: '3@a', wait_ms: 10_000 })
  assert.deepEqual(
    found.map(({ content }) => content),
    ['three'],
  )
  assert.deepEqual((await memory.database.query(digest)).rows, before)
  const primary = await memory.database.query(`SELECT encode(checksum, 'hex') AS checksum FROM agent.memory_record`)
  assert.deepEqual(primary.rows, before)
})

test(
  'a memory that has stopped waits for a person, and goes on with its present state',
  { timeout: 60_000 },
  async (t) => {
    const memory = await startMemoryService(t)
    const { database } = memory
    const { replicator } = await startReplicator(t, memory, { impatient: true })
    const lane = { function: 'memory-replicator', key: 'local/lost' }
    const isHeld = async (): Promise<boolean> => (await readLane(database, { ...lane, most: 1 })).held !== null
    const stopped = (): Promise<number> => metric(replicator, 'sluice_memory_streams_stopped')
    for (const content of ['one', 'two', 'three']) await memory.remember({ key: 'lost', content })
    const [first, , third] = await writes()
    assert.equal(await bring(first), 200)
    assert.equal(await bring(third), 202) // the second never comes

    await t.test('its attempts used up, its lane is held and nothing is given up', async () => {
      await until('the lane is held', isHeld)
      assert.equal((await database.query('SELECT FROM sluice.dead_letter')).rowCount, 0)
      await until('the gauge shows it', async () => (await stopped()) === 1)
      await until('the lag grows', async () => (await metric(replicator, 'memory_wal_lag_seconds')) > 1)
      assert.deepEqual(await replicaOf(database, 'lost'), [[1, 'one', true]])
      await memory.remember({ key: 'lost', content: 'four' })
      assert.equal(await bring((await writes())[3]), 202)
    })

    await t.test('released as it is, it stops again', async () => {
      await releaseLane(database, lane)
      await until('it is held again', isHeld)
    })

    await t.test('what is held is skipped, and the present state, restated, is applied', async () => {
      await memory.ask('POST', '/v1/memory/lost/restate')
      assert.equal(await bring((await writes()).at(-1)), 202)
      const outbox = createOutbox({}, { ...surroundings(), database })
      for (const _ of ['three', 'four']) {
        await until('the next is held', isHeld)
        await skipHead(lane, { database, outbox })
      }
      await until('it is applied', async () => (await replicaOf(database, 'lost')).length === 2)
      assert.deepEqual(await replicaOf(database, 'lost'), [
        [1, 'one', false],
        [5, 'four', true],
      ])
      assert.equal(await unapplied(database), 0)
      await until('nothing is stopped', async () => (await stopped()) === 0)
    })

    interface Emitted {
      readonly id: string
      readonly data: MemoryRecordWritten
    }

    async function writes(): Promise<readonly Emitted[]> {
      const { rows } = await database.query<{ event: Emitted }>(
        `SELECT event FROM sluice.outbox WHERE key = 'local/lost' ORDER BY sequence`,
      )
      return rows.map(({ event }) => event)
    }
    async function bring(emitted: Emitted | undefined): Promise<number> {
      assert.ok(emitted !== undefined)
      return deliver(replicator, emitted.data, { id: emitted.id })
    }
  },
)

const surroundings = () => ({
  clock: systemClock,
  log: testLogger(),
  instruments: createInstruments({ function: 'test' }),
  failpoints: () => undefined,
  random: Math.random,
})

const unapplied = async (database: Database): Promise<number> =>
  (await database.query('SELECT FROM agent.memory_unapplied')).rowCount
