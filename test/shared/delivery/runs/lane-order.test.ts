// The order of a key while events come and runs are under way.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, take } from '../workbench.ts'
import { drive, effects, insertEffect } from './drive-lanes.ts'

test('an event that comes while the head of its lane runs is parked at once, and not after the run', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  await bench.database.query(effects)
  const running = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  t.after(() => finish.resolve())
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { attempt, tx }) => {
      if (id === 'e1' && attempt === 1) throw new Error('to the lane')
      await tx.query(insertEffect, [id])
      if (id === 'e2') return
      running.resolve()
      await finish.promise
    },
    bench,
  )
  await delivery.accept(incoming({ id: 'e1' }))
  const [lane] = await until('the lane is due', async () => {
    const lanes = await take(bench.database)
    return lanes.length > 0 && lanes
  })
  assert.ok(lane)
  const run = delivery.run(lane.incoming, lane.token)
  await running.promise

  assert.equal((await delivery.accept(incoming({ id: 'e2' }))).outcome, 'parked') // the run is still open
  finish.resolve()
  assert.equal((await run).outcome, 'done')
  await drive(bench.database, delivery)
  assert.deepEqual(await bench.rows('SELECT id FROM effect ORDER BY n'), [{ id: 'e1' }, { id: 'e2' }])
})

test('events of one key delivered by two sources at once, repeats included, keep the order of their source', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  await bench.database.query(effects)
  let failures = 0
  const delivery = createDelivery(
    contractOf('transaction', { delivery: { attempts: 20, backoff: { firstMs: 1, maxMs: 5 }, timeoutMs: 5_000 } }),
    async ({ id }, { tx }) => {
      await tx.query(insertEffect, [id])
      // every third run fails at first, so parts of the stream go through the lane
      if ((failures += 1) % 3 === 0) throw new Error('now and then')
    },
    bench,
  )
  const ids = Array.from({ length: 40 }, (_, index) => `e${String(index).padStart(2, '0')}`)
  /** An ordered source after a rebalance: it begins where its predecessor had committed, and comes again on 503. */
  const source = async (from: number): Promise<void> => {
    for (const id of ids.slice(from)) {
      await until(`${id} is accepted`, async () => (await delivery.accept(incoming({ id }))).status < 300)
    }
  }
  const sources = new AbortController()
  const driver = (async () => {
    while (!sources.signal.aborted) await drive(bench.database, delivery)
  })()
  await Promise.all([source(0), source(0)])
  sources.abort()
  await driver
  await drive(bench.database, delivery)

  assert.deepEqual(
    (await bench.rows('SELECT id FROM effect ORDER BY n')).map(({ id }) => id),
    ids,
  )
})
