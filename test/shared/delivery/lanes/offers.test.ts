import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { giveBackLane, nextDueMs, takeLanes } from '../../../../shared/delivery/lanes/offers.ts'
import { contractOf, createWorkbench, incoming, type Workbench } from '../workbench.ts'

async function park(bench: Workbench, name: string, keys: readonly string[]): Promise<void> {
  const delivery = createDelivery(contractOf('steps', { name }), async () => undefined, bench)
  for (const key of keys) await delivery.accept(incoming({ key }))
}

const none = new Map<string, number>()
const namesOf = (offers: Awaited<ReturnType<typeof takeLanes>>) =>
  offers.map(({ function: name, key }) => `${name} ${key}`).toSorted()

test('every function gets its first lane before any gets its second, within the shares', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', ['1', '2', '3', '4'])
  await park(bench, 'b', ['1', '2'])
  await park(bench, 'c', ['1'])
  const take = (busy: ReadonlyMap<string, number>, perFunction: number, total: number) =>
    takeLanes(bench.database, { busy, perFunction, total })
  assert.deepEqual(namesOf(await take(new Map([['c', 2]]), 2, 3)), ['a 1', 'a 2', 'b 1'])
  assert.deepEqual(
    namesOf(
      await take(
        new Map([
          ['a', 2],
          ['b', 1],
        ]),
        3,
        100,
      ),
    ),
    ['a 3', 'b 2', 'c 1'],
  )
  assert.deepEqual(namesOf(await take(none, 100, 100)), ['a 4'])
  assert.deepEqual(await take(none, 100, 100), [])
})

test('two drivers at once take different lanes and do not wait for each other', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  await park(bench, 'a', ['1', '2', '3'])
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const other = bench.database.transaction(async (tx) => {
    const offers = await takeLanes(tx, { busy: none, perFunction: 1, total: 1 })
    held.resolve()
    await go.promise
    return offers
  })
  await held.promise
  const begun = performance.now()
  const mine = await takeLanes(bench.database, { busy: none, perFunction: 9, total: 9 })
  assert.ok(performance.now() - begun < 2_000)
  go.resolve()
  assert.deepEqual([...namesOf(await other), ...namesOf(mine)], ['a 1', 'a 2', 'a 3'])
})

test('a lane that is held for a person is not taken', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', ['1', '2'])
  await bench.database.query(`UPDATE sluice.lane SET held = 'exhausted' WHERE key = '1'`)
  assert.deepEqual(namesOf(await takeLanes(bench.database, { busy: none, perFunction: 9, total: 9 })), ['a 2'])
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
  const [offer] = await takeLanes(bench.database, { busy: none, perFunction: 9, total: 9 })
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
