import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, listLanes, readLane } from '../../../../shared/delivery/index.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from '../workbench.ts'

async function park(bench: Workbench, name: string, events: readonly Parameters<typeof incoming>[0][]): Promise<void> {
  const delivery = createDelivery(contractOf('steps', { name }), async () => undefined, bench)
  for (const event of events) await delivery.accept(incoming(event))
}

test('lanes are listed by state, function and tenant, in pages that miss none', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', [{ key: 'held' }, { key: 'runs' }, { key: 'waits' }, { key: 'theirs', tenant: 'other' }])
  await park(bench, 'b', [{ key: 'waits' }])
  await bench.database.query(`UPDATE sluice.lane SET held = 'handler_failed' WHERE key = 'held'`)
  await bench.database.query(`UPDATE sluice.lane SET due_at = clock_timestamp() + interval '1 h' WHERE key <> 'runs'`)
  assert.equal((await take(bench.database)).length, 1)

  const names = async (options: Partial<Parameters<typeof listLanes>[1]>) =>
    (await listLanes(bench.database, { limit: 10, ...options })).lanes.map(({ function: f, key }) => `${f} ${key}`)
  assert.deepEqual(await names({}), ['a held', 'a runs', 'a theirs', 'a waits', 'b waits'])
  assert.deepEqual(await names({ state: 'held' }), ['a held'])
  assert.deepEqual(await names({ state: 'running' }), ['a runs'])
  assert.deepEqual(await names({ state: 'waiting', function: 'a', tenant: 'acme' }), ['a waits'])
  assert.deepEqual(await names({ tenant: 'other' }), ['a theirs'])

  const paged: string[] = []
  for (let cursor: string | undefined; ;) {
    const page = await listLanes(bench.database, { limit: 2, cursor })
    paged.push(...page.lanes.map(({ function: f, key }) => `${f} ${key}`))
    if (page.next_cursor === null) break
    cursor = page.next_cursor
  }
  assert.deepEqual(paged, ['a held', 'a runs', 'a theirs', 'a waits', 'b waits'])
})

test('one lane shows what waits in it, from the head on, and nothing of another tenant', async (t) => {
  const bench = await createWorkbench(t)
  await park(bench, 'a', [{ id: 'e1' }, { id: 'x', tenant: 'other' }, { id: 'e2' }, { id: 'e3' }])
  const lane = await readLane(bench.database, { function: 'a', key: 'k', tenant: 'acme', most: 2 })
  assert.equal(lane.events, 3)
  assert.deepEqual(
    lane.parked.map(({ id, position }) => [id, position]),
    [
      ['e1', 1],
      ['e2', 3],
    ],
  )
  assert.match(lane.head.parked_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(lane.head.type, 'tool.call.requested.v1')
  for (const other of [{ tenant: 'other' }, { key: 'unknown' }, { function: 'b' }])
    await assert.rejects(readLane(bench.database, { function: 'a', key: 'k', most: 2, ...other }), {
      code: 'not_found',
    })
})

test('a cursor that no page gave is refused', async (t) => {
  const bench = await createWorkbench(t)
  for (const cursor of ['', 'x', 'W10', Buffer.from('["a","b\\u0000"]').toString('base64url')])
    await assert.rejects(listLanes(bench.database, { limit: 1, cursor }), (error) => error instanceof SluiceError)
})
