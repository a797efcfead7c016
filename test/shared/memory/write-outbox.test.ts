import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  claimMemoryWrites,
  removeMemoryWrite,
  returnMemoryWrite,
  storeMemoryWrite,
  type ClaimedWrite,
} from '../../../shared/memory/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase } from '../function/open-database.ts'

test('the outbox of memory writes', { timeout: 60_000 }, async (t) => {
  const database = await openDatabase(t, (await createTestDatabase(t)).url)
  const store = (id: string, key = id, tenant = 'local'): Promise<void> =>
    storeMemoryWrite(database, { tenant, idempotencyKey: id, memory: { key, content: id } })
  const allDue = () => database.query('UPDATE agent.memory_write_outbox SET due_at = now()')
  const claim = (leaseMs = 60_000): Promise<readonly ClaimedWrite[]> =>
    claimMemoryWrites(database, { limit: 10, leaseMs })
  const ids = (writes: readonly ClaimedWrite[]): readonly string[] => writes.map(({ idempotencyKey }) => idempotencyKey)
  t.beforeEach(() => database.query('DELETE FROM agent.memory_write_outbox'))

  await t.test('a write that is stored twice is there once', async () => {
    await store('a')
    await store('a')
    await store('a', 'a', 'other') // another tenant’s key is another key (W-7)
    assert.equal((await database.query('SELECT FROM agent.memory_write_outbox')).rowCount, 2)
  })

  await t.test('a write is lost with the transaction that said it, and only with that', async () => {
    const failing = database.transaction(async (tx) => {
      await storeMemoryWrite(tx, { tenant: 'local', idempotencyKey: 'x', memory: { key: 'x', content: 'x' } })
      throw new Error('the turn did not end')
    })
    await assert.rejects(failing, /did not end/)
    assert.equal((await database.query('SELECT FROM agent.memory_write_outbox')).rowCount, 0)
  })

  await t.test('who stores it may send it first: others find it due only later', async () => {
    await store('mine')
    assert.deepEqual(await claim(), [])
    const only = { tenant: 'local', idempotencyKey: 'mine' }
    assert.deepEqual(ids(await claimMemoryWrites(database, { limit: 1, leaseMs: 1_000, only })), ['mine'])
  })

  await t.test('a claimed write is nobody else’s until its lease runs out', async () => {
    await store('a')
    await allDue()
    const [first] = await claim()
    assert.ok(first !== undefined)
    assert.deepEqual(await claim(), [])
    await database.query(`UPDATE agent.memory_write_outbox SET lease_until = now() - interval '1 second'`)
    const [second] = await claim(60_000)
    assert.ok(second !== undefined && second.token !== first.token)
    assert.deepEqual(await claim(), [])
    assert.equal(await removeMemoryWrite(database, first), false) // a zombie changes nothing
    await returnMemoryWrite(database, first, { delayMs: 0, counts: true, cause: 'internal' })
    assert.deepEqual(await claim(), [])
    assert.equal(await removeMemoryWrite(database, second), true)
  })

  await t.test('a returned write comes again after its delay, and knows how often it was tried', async () => {
    await store('a')
    await allDue()
    const [write] = await claim()
    assert.ok(write !== undefined)
    await returnMemoryWrite(database, write, { delayMs: 3_600_000, counts: true, cause: 'internal' })
    assert.deepEqual(await claim(), [])
    await allDue()
    assert.equal((await claim())[0]?.attempts, 1)
  })

  await t.test('two writes of one memory go one after the other', async () => {
    for (const id of ['first', 'second']) await store(id, 'k')
    await store('beside', 'l')
    await allDue()
    const claimed = await claim()
    assert.deepEqual(ids(claimed), ['first', 'beside'])
    for (const write of claimed) await removeMemoryWrite(database, write)
    assert.deepEqual(ids(await claim()), ['second'])
  })
})
