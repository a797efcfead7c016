// A lane that waits for a person, and what the person may decide.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  createDelivery,
  listLanes,
  readLane,
  releaseLane,
  skipHead,
  type Delivery,
} from '../../../../shared/delivery/index.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, published, take, type Workbench } from '../workbench.ts'

const delivery = { attempts: 2, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000, onExhausted: 'hold' } as const
const lane = { function: 'tested', key: 'k' }

interface Bench extends Workbench {
  readonly ran: string[]
  readonly tested: Delivery
  /** Events fail while their ids are here. */
  readonly failing: Set<string>
}

async function createBench(t: TestContext, execution: 'steps' | 'transaction' = 'steps'): Promise<Bench> {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const failing = new Set(['e1'])
  const handler = async ({ id }: { readonly id: string }, { attempt }: { readonly attempt: number }): Promise<void> => {
    ran.push(`${id} ${attempt}`)
    if (failing.has(id)) throw new TypeError('not yet')
  }
  const tested =
    execution === 'steps'
      ? createDelivery(contractOf('steps', { delivery }), handler, bench)
      : createDelivery(contractOf('transaction', { delivery }), handler, bench)
  return { ...bench, ran, tested, failing }
}

/** Runs what is due, as the driver would, until nothing is. */
async function drive({ database, tested, rows }: Bench): Promise<void> {
  const flowing = `SELECT FROM sluice.lane WHERE held IS NULL`
  await until('every lane is empty or held', async () => {
    for (const taken of await take(database)) await tested.run(taken.incoming, taken.token)
    return (await rows(flowing)).length === 0
  })
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof SluiceError ? error.code : String(error)),
  )

for (const execution of ['steps', 'transaction'] as const) {
  test(`${execution}: an exhausted event keeps its place, the lane waits with its cause, and other keys flow`, async (t) => {
    const bench = await createBench(t, execution)
    for (const id of ['e1', 'e2']) await bench.tested.accept(incoming({ id }))
    await bench.tested.accept(incoming({ id: 'o1', key: 'other' }))
    await drive(bench)
    await bench.tested.accept(incoming({ id: 'e3' }))
    await drive(bench)

    assert.deepEqual(bench.ran.toSorted(), ['e1 1', 'e1 2', 'o1 1'], 'e2 and e3 have not overtaken e1')
    assert.deepEqual(await bench.rows('SELECT key, held FROM sluice.lane'), [{ key: 'k', held: 'handler_failed' }])
    assert.deepEqual(await bench.rows('SELECT FROM sluice.dead_letter'), [])
    const held = await readLane(bench.database, { ...lane, most: 10 })
    assert.deepEqual([held.state, held.events, held.head.id, held.head.attempts], ['held', 3, 'e1', 2])
    assert.deepEqual([held.head.cause, held.head.detail], ['handler_failed', 'not yet'])
  })
}

test('a single attempt that fails on the source’s request holds the lane at once', async (t) => {
  const bench = await createWorkbench(t)
  const contract = contractOf('transaction', { delivery: { ...delivery, attempts: 1 } })
  const tested = createDelivery(contract, async () => Promise.reject(new Error('no')), bench)
  assert.deepEqual(await tested.accept(incoming({ id: 'e1' })), {
    status: 202,
    outcome: 'held',
    code: 'handler_failed',
  })
  assert.equal((await tested.accept(incoming({ id: 'e2' }))).outcome, 'parked')
  const [held] = (await listLanes(bench.database, { limit: 10, state: 'held' })).lanes
  assert.deepEqual([held?.held, held?.events, held?.head.id], ['handler_failed', 2, 'e1'])
})

test('a run that ends without a word on its last attempt holds the lane, too', async (t) => {
  const bench = await createBench(t)
  await bench.tested.accept(incoming({ id: 'e1' }))
  await bench.database.query('UPDATE sluice.parked SET attempts = 2')
  await drive(bench)
  assert.deepEqual(await bench.rows('SELECT held FROM sluice.lane'), [{ held: 'attempts_exhausted' }])
  assert.deepEqual(bench.ran, [])
})

test('a released lane tries its head from attempt 0, as it is, and goes on behind it', async (t) => {
  const bench = await createBench(t)
  for (const id of ['e1', 'e2']) await bench.tested.accept(incoming({ id }))
  await drive(bench)
  bench.failing.clear()
  const woken = Promise.withResolvers<string>()
  const listening = await bench.database.listen('sluice_lane', woken.resolve)
  await releaseLane(bench.database, lane)
  assert.equal(await woken.promise, 'tested', 'the driver is told')
  await listening.stop()
  await drive(bench)
  assert.deepEqual(bench.ran, ['e1 1', 'e1 2', 'e1 1', 'e2 1'])
  assert.deepEqual(await bench.rows('SELECT FROM sluice.lane'), [])
})

test('a skipped head becomes a dead letter with the fingerprint of its failure, and the lane goes on', async (t) => {
  const bench = await createBench(t)
  for (const id of ['e1', 'e2']) await bench.tested.accept(incoming({ id }))
  await drive(bench)
  const [{ fingerprint } = {}] = await bench.rows('SELECT fingerprint FROM sluice.lane')
  assert.match(String(fingerprint), /^[0-9a-f]{16}$/)

  assert.deepEqual(await skipHead(lane, bench), { position: 1, source: '/test', id: 'e1' })
  await drive(bench)
  assert.deepEqual(bench.ran, ['e1 1', 'e1 2', 'e2 1'])
  const letters = await bench.rows('SELECT id, cause, message, attempts, fingerprint FROM sluice.dead_letter')
  assert.deepEqual(letters, [{ id: 'e1', cause: 'handler_failed', message: 'not yet', attempts: 2, fingerprint }])
  assert.deepEqual(await bench.rows('SELECT id, state FROM sluice.inbox ORDER BY id'), [
    { id: 'e1', state: 'dead' },
    { id: 'e2', state: 'done' },
  ])
  await until('its copy is published', async () => (await published(bench.eventLog, 'tool.requests.dlq')).length === 1)
})

test('only the event that was seen is skipped or released, only once, and only by its tenant', async (t) => {
  const bench = await createBench(t)
  bench.failing.add('e2')
  for (const id of ['e1', 'e2']) await bench.tested.accept(incoming({ id }))
  await drive(bench)
  assert.equal(await codeOf(skipHead({ ...lane, tenant: 'another' }, bench)), 'not_found')
  assert.equal(await codeOf(releaseLane(bench.database, { ...lane, tenant: 'another' })), 'not_found')
  assert.equal(await codeOf(releaseLane(bench.database, { ...lane, key: 'unknown' })), 'not_found')

  const twice = [1, 2].map(() => codeOf(skipHead({ ...lane, tenant: 'acme', position: 1 }, bench)))
  assert.deepEqual((await Promise.all(twice)).toSorted(), ['conflict', 'no error'])
  await drive(bench)
  assert.deepEqual(bench.ran.slice(2), ['e2 1', 'e2 2'], 'the lane is held by its next event now')
  assert.equal(await codeOf(skipHead({ ...lane, position: 1 }, bench)), 'conflict')
  assert.equal(await codeOf(releaseLane(bench.database, { ...lane, position: 1 })), 'conflict')
  assert.equal((await bench.rows('SELECT FROM sluice.dead_letter')).length, 1)
})

test('a lane that a run has is neither released nor skipped; one that waits for its time is released, not skipped', async (t) => {
  const bench = await createBench(t)
  await bench.tested.accept(incoming({ id: 'e1' }))
  const [taken] = await take(bench.database)
  assert.ok(taken)
  assert.equal(await codeOf(releaseLane(bench.database, lane)), 'conflict')
  assert.equal(await codeOf(skipHead(lane, bench)), 'conflict')
  await bench.tested.run(taken.incoming, taken.token)
  await bench.database.query(`UPDATE sluice.lane SET due_at = clock_timestamp() + interval '1 day'`)
  assert.equal(await codeOf(skipHead(lane, bench)), 'conflict')
  await releaseLane(bench.database, lane)
  assert.equal((await take(bench.database)).length, 1)
})

test('a run that lost its lane to a release writes nothing', async (t) => {
  const bench = await createBench(t)
  bench.failing.clear()
  await bench.tested.accept(incoming({ id: 'e1' }))
  const [zombie] = await take(bench.database)
  assert.ok(zombie)
  await bench.database.query('UPDATE sluice.lane SET lease_until = clock_timestamp()')
  await releaseLane(bench.database, lane)
  assert.equal((await bench.tested.run(zombie.incoming, zombie.token)).outcome, 'stale')
  assert.deepEqual(bench.ran, [])
})
