// Renewals against a database that answers as it is told, on a clock that the test moves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Queryable } from '../../../../shared/database/index.ts'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { keepLease } from '../../../../shared/delivery/lanes/lease-keeper.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createManualClock } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, take } from '../workbench.ts'

const run = { function: 'f', key: 'k', token: 't', epoch: 1 }

function answering(answers: (boolean | Error)[]): { readonly database: Queryable; readonly asked: () => number } {
  let asked = 0
  const query = async (): Promise<never> => {
    const answer = answers[asked] ?? true
    asked += 1
    if (answer instanceof Error) throw answer
    return { rows: [{ held: answer }], rowCount: 1 } as never
  }
  return { database: { query }, asked: () => asked }
}

test('the lease is renewed every 5 s while the run lasts, and no longer', async () => {
  const clock = createManualClock()
  const { database, asked } = answering([])
  const lease = keepLease(run, { database, clock })
  await clock.advance(15_000)
  assert.equal(asked(), 3)
  assert.equal(lease.signal.aborted, false)
  lease.stop()
  await clock.advance(60_000)
  assert.equal(asked(), 3)
})

test('a renewal that finds the lane in other hands aborts the run at once', async () => {
  const clock = createManualClock()
  const { database } = answering([true, false])
  const lease = keepLease(run, { database, clock })
  await clock.advance(9_999)
  assert.equal(lease.signal.aborted, false)
  await clock.advance(1)
  assert.ok(lease.signal.aborted)
  assert.equal((lease.signal.reason as SluiceError).code, 'lease_lost')
})

test('renewals that fail are repeated every second, and the run is aborted when the lease must be over', async () => {
  const clock = createManualClock()
  const away = new SluiceError('database_unavailable', 'away')
  const { database, asked } = answering([true, ...Array.from({ length: 40 }, () => away)])
  const lease = keepLease(run, { database, clock })
  await clock.advance(5_000 + 14_999)
  assert.equal(lease.signal.aborted, false)
  assert.ok(asked() >= 10)
  await clock.advance(1)
  assert.ok(lease.signal.aborted)
})

test('an outage that ends in time costs nothing', async () => {
  const clock = createManualClock()
  const away = new SluiceError('database_unavailable', 'away')
  const { database } = answering([away, away, away, true])
  const lease = keepLease(run, { database, clock })
  await clock.advance(30_000)
  assert.equal(lease.signal.aborted, false)
  lease.stop()
})

test('a run that loses its lane hears of it through its signal', { timeout: 20_000 }, async (t) => {
  const bench = await createWorkbench(t)
  const clock = createManualClock()
  const started = Promise.withResolvers<void>()
  const contract = contractOf('steps', {
    delivery: { attempts: 3, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 600_000 },
  })
  const delivery = createDelivery(
    contract,
    async (_, { signal }) => {
      started.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    },
    { ...bench, clock },
  )
  await delivery.accept(incoming())
  const [lane] = await take(bench.database)
  assert.ok(lane)
  const answer = delivery.run(lane.incoming, lane.token)
  await started.promise
  await bench.database.query('UPDATE sluice.lane SET epoch = epoch + 1')
  await clock.advance(5_000)
  assert.deepEqual(await answer, { status: 409, outcome: 'stale', code: 'lease_lost' })
})
