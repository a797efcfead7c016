// Who may run: an offer is good for one start, and whoever lost its lane writes nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../../shared/database/index.ts'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, take } from '../workbench.ts'
import { drive, effects, insertEffect } from './drive-lanes.ts'

test('an offer is good for one start: the same token a second time runs nothing', async (t) => {
  const bench = await createWorkbench(t)
  let runs = 0
  const delivery = createDelivery(contractOf('steps'), async () => void (runs += 1), bench)
  await delivery.accept(incoming())
  const [taken] = await take(bench.database)
  assert.ok(taken)
  const answers = await Promise.all([1, 2, 3].map(() => delivery.run(taken.incoming, taken.token)))
  assert.deepEqual(answers.map(({ outcome }) => outcome).toSorted(), ['done', 'stale', 'stale'])
  assert.equal(runs, 1)
  for (const garbage of ['', 'x', `${taken.token}9`, '00000000-0000-4000-8000-000000000000.1']) {
    assert.equal((await delivery.run(taken.incoming, garbage)).status, 409)
  }
})

test('an offer that ran out is refused', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  await delivery.accept(incoming())
  const [taken] = await take(bench.database)
  assert.ok(taken)
  await bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp() - interval '1 ms'`)
  assert.equal((await delivery.run(taken.incoming, taken.token)).status, 409)
})

for (const execution of ['transaction', 'steps'] as const) {
  test(`a ${execution} zombie whose lane another run took writes nothing, and the other run is done once`, async (t) => {
    const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
    await bench.database.query(effects)
    const zombieRuns = Promise.withResolvers<void>()
    const wake = Promise.withResolvers<void>()
    let runs = 0
    const pause = async (): Promise<void> => {
      runs += 1
      if (runs > 1) return
      zombieRuns.resolve()
      await wake.promise
    }
    const delivery =
      execution === 'transaction'
        ? createDelivery(
            contractOf('transaction', {
              delivery: { attempts: 9, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 60_000 },
            }),
            async ({ id }, { tx, emit, attempt }) => {
              if (attempt === 1) throw new Error('to the lane')
              await pause()
              await tx.query(insertEffect, [`${id} attempt ${attempt}`])
              emit(toolCallFinished, finished(String(attempt)), { key: 's' })
            },
            bench,
          )
        : createDelivery(
            contractOf('steps', { delivery: { attempts: 9, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 60_000 } }),
            async ({ id }, { commit, attempt }) => {
              await pause()
              await commit(async ({ tx, emit }) => {
                await tx.query(insertEffect, [`${id} attempt ${attempt}`])
                emit(toolCallFinished, finished(String(attempt)), { key: 's' })
              })
            },
            bench,
          )
    await delivery.accept(incoming({ id: 'e' }))
    const [first] = await until('the lane is due', async () => {
      const lanes = await take(bench.database)
      return lanes.length > 0 && lanes
    })
    assert.ok(first)
    const zombie = delivery.run(first.incoming, first.token)
    await zombieRuns.promise
    await bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp() - interval '1 ms'`)
    const [second] = await take(bench.database)
    assert.ok(second, 'the lease ran out, the lane is taken again')

    const other = delivery.run(second.incoming, second.token)
    // A transaction function waits for the key's lock, which the zombie still holds.
    if (execution === 'steps') assert.equal((await other).outcome, 'done')
    else
      await until(
        'the second run is started',
        async () => (await bench.rows('SELECT FROM sluice.parked WHERE attempts = 3')).length === 1,
      )
    wake.resolve()

    assert.deepEqual(await zombie, { status: 409, outcome: 'stale', code: 'lease_lost' })
    assert.equal((await other).outcome, 'done')
    const expected = execution === 'transaction' ? 'e attempt 3' : 'e attempt 2'
    assert.deepEqual(
      (await bench.rows('SELECT id FROM effect')).map(({ id }) => id),
      [expected],
    )
    assert.equal((await bench.rows('SELECT FROM sluice.outbox')).length, 1)
  })
}

test('a zombie whose transaction is still open costs the next run no attempt', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 100 })
  const delivery = createDelivery(
    contractOf('transaction'),
    async (_, { attempt }) => {
      if (attempt === 1) throw new Error('to the lane')
    },
    bench,
  )
  await delivery.accept(incoming({ key: 'k' }))
  const held = Promise.withResolvers<void>()
  const holds = Promise.withResolvers<void>()
  const zombie = bench.database.transaction(async (tx) => {
    await tx.query(`SELECT sluice.lock_lane_run('tested', 'k')`)
    holds.resolve()
    await held.promise
  })
  await holds.promise

  const [lane] = await until('the lane is due', async () => {
    const lanes = await take(bench.database)
    return lanes.length > 0 && lanes
  })
  assert.ok(lane)
  assert.deepEqual(await delivery.run(lane.incoming, lane.token), {
    status: 202,
    outcome: 'retrying',
    code: 'lane_busy',
  })
  assert.deepEqual(await bench.rows('SELECT attempts, cause FROM sluice.parked'), [{ attempts: 1, cause: 'lane_busy' }])
  held.resolve()
  await zombie
  await drive(bench.database, delivery)
})

test('a COMMIT whose answer was lost is found out by the fence: the event is not run again', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  // The transaction commits, and then the caller hears that the database was lost.
  const lossy: Database = {
    ...bench.database,
    transaction: async (work, options) => {
      await bench.database.transaction(work, options)
      const { rows } = await bench.database.query('SELECT FROM effect')
      if (rows.length > 0)
        throw Object.assign(new Error('terminating connection'), { code: '57P01', severity: 'FATAL' })
      return undefined as never
    },
  }
  const delivery = createDelivery(
    contractOf('steps'),
    async ({ id }, { commit }) => commit(async ({ tx }) => void (await tx.query(insertEffect, [id]))),
    { ...bench, database: lossy },
  )
  await delivery.accept(incoming({ id: 'e1' }))
  const [lane] = await take(bench.database)
  assert.ok(lane)
  assert.equal((await delivery.run(lane.incoming, lane.token)).outcome, 'stale')
  assert.deepEqual(await bench.rows('SELECT id, state FROM sluice.inbox'), [{ id: 'e1', state: 'done' }])
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.lane'), [])
})
