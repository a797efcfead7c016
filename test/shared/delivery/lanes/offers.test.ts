import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import {
  giveBackLane,
  nextDueMs,
  takeLanes,
  type Share,
  type TakeOptions,
} from '../../../../shared/delivery/lanes/offers.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from '../workbench.ts'

async function park(bench: Workbench, name: string, keys: readonly string[]): Promise<void> {
  const delivery = createDelivery(contractOf('steps', { name }), async () => undefined, bench)
  for (const key of keys) await delivery.accept(incoming({ key }))
}

/** Lanes of one event each, due now, the first the longest. */
async function fillLanes(
  bench: Workbench,
  { name, tenant, count }: { readonly name: string; readonly tenant: string; readonly count: number },
): Promise<void> {
  await bench.database.query(
    `WITH lanes AS (
       INSERT INTO sluice.lane (function, key, tenant, tail, due_at)
       SELECT $1, $2 || n, $2, 1, clock_timestamp() - interval '1 second' FROM generate_series(1, $3::int) AS n
       RETURNING function, key, tenant, due_at
     ) INSERT INTO sluice.parked (function, key, position, source, id, tenant, event, raw, due_at)
     SELECT function, key, 1, '/filled', key, tenant, '{}', '', due_at FROM lanes`,
    [name, tenant, count],
  )
}

const all: TakeOptions = { busy: [], resting: [], perFunction: 9, total: 9 }
const share = (name: string, running: number, tenant = 'acme'): Share => ({ function: name, tenant, running })
const namesOf = (offers: Awaited<ReturnType<typeof takeLanes>>) =>
  offers.map(({ function: name, key }) => `${name} ${key}`).toSorted()

test('what is free goes to the function with the least under way, within its share', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', ['1', '2', '3', '4'])
  await park(bench, 'b', ['1', '2'])
  await park(bench, 'c', ['1'])
  const take = async (options: Partial<TakeOptions>) => namesOf(await takeLanes(bench.database, { ...all, ...options }))
  assert.deepEqual(await take({ busy: [share('c', 2)], perFunction: 2, total: 3 }), ['a 1', 'a 2', 'b 1'])
  const busy = [share('a', 2), share('b', 1)]
  assert.deepEqual(await take({ busy, total: 2 }), ['b 2', 'c 1'], 'whoever has two under way waits for its third')
  assert.deepEqual(await take({ busy: [share('a', 2)], perFunction: 3 }), ['a 3'])
  assert.deepEqual(await take({ resting: ['a'] }), [])
  assert.deepEqual(await take({}), ['a 4'])
  assert.deepEqual(await take({}), [])
})

test('a tenant with much due gets no more of a function than one with little, who waits behind nothing of it', async (t) => {
  const bench = await createWorkbench(t)
  await fillLanes(bench, { name: 'a', tenant: 'crowd', count: 5_000 })
  await fillLanes(bench, { name: 'a', tenant: 'few', count: 3 })
  const take = async (options: Partial<TakeOptions>) =>
    (await takeLanes(bench.database, { ...all, ...options })).map(({ tenant }) => tenant).toSorted()
  assert.deepEqual(await take({ total: 4 }), ['crowd', 'crowd', 'few', 'few'])
  const busy = [share('a', 2, 'crowd'), share('a', 2, 'few')]
  assert.deepEqual(await take({ busy, total: 2 }), ['crowd', 'few'])
  // One place at a time, and all that is under way is the crowd's, whose lanes have been due for longer.
  await fillLanes(bench, { name: 'a', tenant: 'late', count: 1 })
  assert.deepEqual(await take({ busy: [share('a', 5, 'crowd')], total: 1 }), ['late'])
})

test('shares of tenants follow the heads: a lane counts for whoever is first in it', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps', { name: 'a' }), async () => undefined, bench)
  await delivery.accept(incoming({ tenant: 'one' }))
  await delivery.accept(incoming({ tenant: 'two' }))
  const [first] = await take(bench.database)
  assert.ok(first)
  assert.equal((await delivery.run(first.incoming, first.token)).outcome, 'done')
  assert.deepEqual(await bench.rows('SELECT tenant FROM sluice.lane'), [{ tenant: 'two' }])
})

test('two drivers at once take different lanes and do not wait for each other', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  await park(bench, 'a', ['1', '2', '3'])
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const other = bench.database.transaction(async (tx) => {
    const offers = await takeLanes(tx, { ...all, perFunction: 1, total: 1 })
    held.resolve()
    await go.promise
    return offers
  })
  await held.promise
  const mine = await takeLanes(bench.database, all) // while the other holds its own: a wait would end in the lock timeout
  go.resolve()
  assert.deepEqual([...namesOf(await other), ...namesOf(mine)], ['a 1', 'a 2', 'a 3'])
})

test('a lane that is held for a person is not taken', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', ['1', '2'])
  await bench.database.query(`UPDATE sluice.lane SET held = 'exhausted' WHERE key = '1'`)
  assert.deepEqual(namesOf(await takeLanes(bench.database, all)), ['a 2'])
})

test('the next due time is that of the first lane in the future; lanes due now have been offered', async (t) => {
  const bench = await createWorkbench(t)
  assert.equal(await nextDueMs(bench.database), undefined)
  await park(bench, 'a', ['1', '2', '3'])
  assert.equal(await nextDueMs(bench.database), undefined)
  await bench.database.query(
    `UPDATE sluice.lane SET due_at = clock_timestamp() + key::int * interval '10 s' WHERE key <> '1'`,
  )
  const due = (await nextDueMs(bench.database)) ?? 0
  assert.ok(due > 19_000 && due <= 20_000, `${due}`)
})

test('a lane is given back only by who has it, and not before its head is due', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', ['1'])
  const [offer] = await takeLanes(bench.database, all)
  assert.ok(offer)
  const token = () => bench.rows('SELECT token FROM sluice.lane')
  await giveBackLane(bench.database, { ...offer, epoch: offer.epoch + 1 }, 0)
  await giveBackLane(bench.database, { ...offer, token: '0191b7c4-5c33-7a3a-9d1e-1f2a3b4c5d6e' }, 0)
  assert.deepEqual(await token(), [{ token: offer.token }])
  await giveBackLane(bench.database, offer, 5_000)
  assert.deepEqual(await token(), [{ token: null }])
  const due = (await nextDueMs(bench.database)) ?? 0
  assert.ok(due > 4_000 && due <= 5_000, `${due}`)
})
