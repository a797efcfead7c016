// Runs of parked events: attempts, fencing, order, and what becomes of the lane.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../../shared/database/index.ts'
import { createDelivery, type Delivery } from '../../../../shared/delivery/index.ts'
import { RetryLaterError } from '../../../../shared/errors/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, published, take } from '../workbench.ts'

const effects = 'CREATE TABLE effect (id text, n bigint GENERATED ALWAYS AS IDENTITY)'
const insertEffect = 'INSERT INTO effect (id) VALUES ($1)'

/** Runs lanes, as the driver would, until none is left. */
async function drive(database: Database, delivery: Delivery): Promise<void> {
  await until('all lanes are empty', async () => {
    for (const lane of await take(database)) await delivery.run(lane.incoming, lane.token)
    const { rows } = await database.query('SELECT FROM sluice.lane')
    return rows.length === 0
  })
}

for (const execution of ['transaction', 'steps'] as const) {
  test(`a parked ${execution} event that succeeds is done with its effects, and its lane goes on to the next`, async (t) => {
    const bench = await createWorkbench(t)
    await bench.database.query(effects)
    const contract = contractOf(execution)
    const delivery =
      contract.execution === 'transaction'
        ? createDelivery(
            contractOf('transaction'),
            async ({ id }, { tx, emit, attempt }) => {
              if (attempt === 1 && id === 'e1') throw new Error('first try')
              await tx.query(insertEffect, [id])
              emit(toolCallFinished, finished(id), { key: 's' })
            },
            bench,
          )
        : createDelivery(
            contractOf('steps'),
            async ({ id }, { commit }) =>
              commit(async ({ tx, emit }) => {
                await tx.query(insertEffect, [id])
                emit(toolCallFinished, finished(id), { key: 's' })
              }),
            bench,
          )
    for (const id of ['e1', 'e2', 'e3']) assert.equal((await delivery.accept(incoming({ id }))).status, 202)

    await drive(bench.database, delivery)

    assert.deepEqual(
      (await bench.rows('SELECT id FROM effect ORDER BY n')).map(({ id }) => id),
      ['e1', 'e2', 'e3'],
    )
    assert.deepEqual(await bench.rows('SELECT DISTINCT state FROM sluice.inbox'), [{ state: 'done' }])
    assert.deepEqual(await bench.rows('SELECT * FROM sluice.parked'), [])
    await until('all three are published in order', async () => {
      const records = await published(bench.eventLog, 'tool.results')
      return records.map(({ sequence }) => sequence).join() === '1,2,3'
    })
    assert.equal((await delivery.accept(incoming({ id: 'e2' }))).outcome, 'duplicate')
  })
}

test('the attempt is counted when the run starts, so a run that dies counts and an unreachable function does not', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => new Promise<void>(() => undefined), bench)
  await delivery.accept(incoming())
  const [taken] = await take(bench.database)
  assert.ok(taken)
  assert.deepEqual(await bench.rows('SELECT attempts FROM sluice.parked'), [{ attempts: 0 }])
  void delivery.run(taken.incoming, taken.token)
  await until(
    'the attempt is counted',
    async () => (await bench.rows('SELECT FROM sluice.parked WHERE attempts = 1')).length === 1,
  )
  await delivery.release()
})

test('a failed run waits for its back-off, is tried again, and becomes a dead letter when its attempts are spent', async (t) => {
  const bench = await createWorkbench(t)
  const attempts: number[] = []
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { attempt }) => {
      if (id !== 'poison') return
      attempts.push(attempt)
      throw new Error('always')
    },
    bench,
  )
  const poison = incoming({ id: 'poison', data: { n: 'raw bytes' } })
  await delivery.accept(poison)
  for (const id of ['e2', 'e3']) assert.equal((await delivery.accept(incoming({ id }))).outcome, 'parked')

  await drive(bench.database, delivery)

  assert.deepEqual(attempts, [1, 2, 3])
  const [dead] = await bench.rows('SELECT id, cause, message, attempts, raw, event FROM sluice.dead_letter')
  assert.deepEqual(dead, {
    id: 'poison',
    cause: 'handler_failed',
    message: 'always',
    attempts: 3,
    raw: poison.raw,
    event: { ...(dead?.['event'] as object), id: 'poison', data: { n: 'raw bytes' } },
  })
  const states = await bench.rows('SELECT id, state FROM sluice.inbox ORDER BY id')
  assert.deepEqual(states, [
    { id: 'e2', state: 'done' },
    { id: 'e3', state: 'done' },
    { id: 'poison', state: 'dead' },
  ])
  const [copy] = await until('the copy is published', async () => {
    const records = await published(bench.eventLog, 'tool.requests.dlq')
    return records.length === 1 && records
  })
  assert.equal(copy?.header('ce_sluiceattempts'), '3')
})

test('an event whose last run ended without a word becomes a dead letter and the lane goes on', async (t) => {
  const bench = await createWorkbench(t)
  let runs = 0
  const delivery = createDelivery(contractOf('steps'), async () => void (runs += 1), bench)
  await delivery.accept(incoming({ id: 'killer' }))
  await delivery.accept(incoming({ id: 'e2' }))
  await bench.database.query(`UPDATE sluice.parked SET attempts = 3 WHERE id = 'killer'`)

  const [first] = await take(bench.database)
  assert.ok(first)
  assert.deepEqual(await delivery.run(first.incoming, first.token), {
    status: 202,
    outcome: 'dead',
    code: 'attempts_exhausted',
  })
  assert.equal(runs, 0)
  await drive(bench.database, delivery)
  assert.deepEqual(await bench.rows('SELECT id, attempts, cause FROM sluice.dead_letter'), [
    { id: 'killer', attempts: 3, cause: 'attempts_exhausted' },
  ])
  assert.equal(runs, 1)
})

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

test('RetryLaterError in a lane run delays the lane for as long as it says', async (t) => {
  const bench = await createWorkbench(t)
  const handler = async (): Promise<void> => {
    throw new RetryLaterError({ afterMs: 30_000, reason: 'the model is busy' })
  }
  const delivery = createDelivery(contractOf('steps'), handler, bench)
  await delivery.accept(incoming())
  const [lane] = await take(bench.database)
  assert.ok(lane)
  assert.deepEqual(await delivery.run(lane.incoming, lane.token), {
    status: 202,
    outcome: 'retrying',
    code: 'retry_later',
  })
  const [row] = await bench.rows<{ waits: number }>(
    'SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS waits FROM sluice.lane',
  )
  assert.ok(Math.abs((row?.waits ?? 0) - 30) < 1, `${row?.waits} s`)
})

test('a drain that runs out of time gives the lane back at once and at no attempt', async (t) => {
  const bench = await createWorkbench(t)
  const started = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('steps', { delivery: { attempts: 1, backoff: { firstMs: 60_000, maxMs: 60_000 }, timeoutMs: 60_000 } }),
    async () => {
      started.resolve()
      await new Promise(() => undefined)
    },
    bench,
  )
  await delivery.accept(incoming({ id: 'e1' }))
  const [lane] = await take(bench.database)
  assert.ok(lane)
  const answer = delivery.run(lane.incoming, lane.token)
  await started.promise

  assert.deepEqual(await delivery.release(), ['e1'])
  assert.equal((await answer).code, 'draining')
  assert.deepEqual(await bench.rows('SELECT attempts FROM sluice.parked'), [{ attempts: 0 }])
  assert.equal((await take(bench.database)).length, 1)
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
