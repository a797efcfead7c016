// The end of a run against an event that is being parked in the same lane at that moment, in both orders.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transaction } from '../../../../shared/database/index.ts'
import { claimAndPark } from '../../../../shared/delivery/inbox/claim.ts'
import { receivedEvent } from '../../../../shared/delivery/inbox/received-event.ts'
import { finishRun, startRun, type LaneRun } from '../../../../shared/delivery/lanes/lane-run.ts'
import { parseLaneToken } from '../../../../shared/delivery/lanes/lane-token.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from '../workbench.ts'

const contract = contractOf('steps')
const received = (id: string) => receivedEvent(incoming({ id }), contract)

async function startedRun(bench: Workbench): Promise<LaneRun> {
  const [lane] = await take(bench.database)
  const offer = parseLaneToken(lane?.token ?? '')
  assert.ok(offer)
  const run = await startRun(bench.database, offer, { function: contract.name, maxAttempts: 3 })
  assert.ok(run)
  return run
}

/** Does `first` in a transaction, lets `second` begin and wait for it, then commits. */
async function inOrder(
  bench: Workbench,
  first: (tx: Transaction) => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<void> {
  const isDone = Promise.withResolvers<void>()
  const commit = Promise.withResolvers<void>()
  const holding = bench.database.transaction(async (tx) => {
    await first(tx)
    isDone.resolve()
    await commit.promise
  })
  await isDone.promise
  const following = second()
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
  await until('the second waits for the first', async () => (await bench.rows(waiting)).length === 1)
  commit.resolve()
  await Promise.all([holding, following])
}

test('an event parked while the lane ends begins a lane of its own', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 8_000 })
  await claimAndPark(bench.database, contract, received('e1'))
  const run = await startedRun(bench)
  await inOrder(
    bench,
    (tx) => finishRun(tx, run, 'done'),
    () => claimAndPark(bench.database, contract, received('e2')),
  )
  const [lane] = await take(bench.database)
  assert.equal(lane?.incoming.event.id, 'e2')
})

test('a lane that gets an event while its last run ends goes on to it', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 8_000 })
  await claimAndPark(bench.database, contract, received('e1'))
  const run = await startedRun(bench)
  await inOrder(
    bench,
    (tx) => claimAndPark(tx, contract, received('e2')),
    () => finishRun(bench.database, run, 'done'),
  )
  const [lane] = await take(bench.database)
  assert.equal(lane?.incoming.event.id, 'e2')
})

test('a lane whose next event has a time of its own waits for it', async (t) => {
  const bench = await createWorkbench(t)
  for (const id of ['e1', 'e2']) await claimAndPark(bench.database, contract, received(id))
  await bench.database.query(`UPDATE sluice.parked SET due_at = due_at + interval '1 h' WHERE id = 'e2'`)
  await finishRun(bench.database, await startedRun(bench), 'done')
  assert.deepEqual(await take(bench.database), [])
})
