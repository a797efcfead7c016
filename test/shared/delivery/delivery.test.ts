// Each row of the decision table of ARCHITECTURE.md, for both kinds of function.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../shared/delivery/index.ts'
import { until } from '../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, published, take } from './workbench.ts'
import { toolCallFinished } from '../../../shared/events/index.ts'

const effects = `CREATE TABLE effect (id text, n bigint GENERATED ALWAYS AS IDENTITY)`
const insertEffect = 'INSERT INTO effect (id) VALUES ($1)'

test('an event of an empty lane runs at once: effects, inbox row and emissions commit together, 200', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  const delivery = createDelivery(
    contractOf('transaction'),
    async (event, { tx, emit, attempt, delivery: origin, tenant }) => {
      await tx.query(insertEffect, [event.id])
      emit(toolCallFinished, finished('c1'), { key: 's1', sessionId: 's1' })
      assert.deepEqual(
        { attempt, origin, tenant },
        { attempt: 1, origin: { source: '/test', id: 'e1', key: 'k', topic: 'tool.requests' }, tenant: 'acme' },
      )
    },
    bench,
  )

  assert.deepEqual(await delivery.accept(incoming({ id: 'e1' })), { status: 200, outcome: 'done' })
  assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1' }])
  assert.deepEqual(await bench.rows('SELECT source, id, state FROM sluice.inbox'), [
    { source: '/test', id: 'e1', state: 'done' },
  ])
  const [record] = await until('the event is published', async () => {
    const records = await published(bench.eventLog, 'tool.results')
    return records.length === 1 && records
  })
  assert.equal(record?.key, 's1')
  assert.equal(record?.sequence, 1)
  assert.equal(record?.header('ce_source'), '/sluice/tested')
  assert.equal(record?.header('ce_tenant'), 'acme')
})

test('an event of a steps function is parked, due now, and the handler does not run on the request, 202', async (t) => {
  const bench = await createWorkbench(t)
  let runs = 0
  const delivery = createDelivery(contractOf('steps'), async () => void (runs += 1), bench)

  assert.deepEqual(await delivery.accept(incoming({ id: 'e1' })), { status: 202, outcome: 'parked' })
  assert.equal(runs, 0)
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [{ state: 'parked' }])
  assert.equal((await take(bench.database)).length, 1)
})

test('an event whose lane is occupied is parked behind, in the order of acceptance, 202', async (t) => {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { attempt }) => {
      ran.push(id)
      if (attempt === 1 && id === 'e1') throw new Error('not yet')
    },
    bench,
  )

  assert.equal((await delivery.accept(incoming({ id: 'e1' }))).outcome, 'retrying')
  for (const id of ['e2', 'e3'])
    assert.deepEqual(await delivery.accept(incoming({ id })), { status: 202, outcome: 'parked' })
  assert.equal((await delivery.accept(incoming({ id: 'other', key: 'k2' }))).outcome, 'done')
  assert.deepEqual(await bench.rows('SELECT id, position FROM sluice.parked ORDER BY position'), [
    { id: 'e1', position: 1 },
    { id: 'e2', position: 2 },
    { id: 'e3', position: 3 },
  ])
  assert.deepEqual(ran, ['e1', 'other'])
})

for (const execution of ['transaction', 'steps'] as const) {
  test(`a ${execution} event with the same id and data does nothing, 200`, async (t) => {
    const bench = await createWorkbench(t)
    let runs = 0
    const delivery = createDelivery(contractOf(execution), async () => void (runs += 1), bench)
    await delivery.accept(incoming({ id: 'e1', data: { a: 1, b: [2] } }))

    // the order of keys is no difference
    assert.deepEqual(await delivery.accept(incoming({ id: 'e1', data: { b: [2], a: 1 } })), {
      status: 200,
      outcome: 'duplicate',
    })
    assert.equal(runs, execution === 'transaction' ? 1 : 0)
    assert.deepEqual(await bench.rows('SELECT count(*) FROM sluice.parked'), [{ count: execution === 'steps' ? 1 : 0 }])
  })

  test(`a ${execution} event with the same id and other data becomes the dead letter id_conflict, 202; the first stands`, async (t) => {
    const bench = await createWorkbench(t)
    const delivery = createDelivery(contractOf(execution), async () => undefined, bench)
    await delivery.accept(incoming({ id: 'e1', data: { n: 1 } }))
    const [before] = await bench.rows('SELECT state FROM sluice.inbox')

    const other = incoming({ id: 'e1', data: { n: 2 } })
    assert.deepEqual(await delivery.accept(other), { status: 202, outcome: 'dead', code: 'id_conflict' })
    assert.deepEqual(await bench.rows('SELECT cause, source, id, raw FROM sluice.dead_letter'), [
      { cause: 'id_conflict', source: '/test', id: 'e1', raw: other.raw },
    ])
    assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [before])
    // and the source, which may not have heard the answer, comes again
    assert.equal((await delivery.accept(other)).status, 200)
    assert.deepEqual(await bench.rows('SELECT count(*) FROM sluice.dead_letter'), [{ count: 1 }])
  })
}

test('while a run holds the lane another event of the key waits, bounded by lock_timeout, then 503 and nothing is recorded', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 150 })
  const running = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }) => {
      if (id !== 'slow') return
      running.resolve()
      await finish.promise
    },
    bench,
  )
  const slow = delivery.accept(incoming({ id: 'slow' }))
  await running.promise

  const answer = await delivery.accept(incoming({ id: 'e2' }))
  assert.deepEqual(answer, { status: 503, outcome: 'refused', code: 'lane_busy', retryAfterS: 1 })
  assert.deepEqual(await bench.rows(`SELECT id FROM sluice.inbox WHERE id = 'e2'`), [])
  assert.equal((await delivery.accept(incoming({ id: 'e3', key: 'k2' }))).outcome, 'done')
  finish.resolve()
  assert.equal((await slow).outcome, 'done')
  assert.equal((await delivery.accept(incoming({ id: 'e2' }))).outcome, 'done')
})

test('a repeat of a running event waits for it no longer than lock_timeout, also from another key', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 150 })
  const running = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('transaction'),
    async () => {
      running.resolve()
      await finish.promise
    },
    bench,
  )
  const first = delivery.accept(incoming({ id: 'e1' }))
  await running.promise

  for (const key of ['k', 'other']) {
    assert.deepEqual(await delivery.accept(incoming({ id: 'e1', key })), {
      status: 503,
      outcome: 'refused',
      code: 'lane_busy',
      retryAfterS: 1,
    })
  }
  finish.resolve()
  assert.equal((await first).outcome, 'done')
  assert.equal((await delivery.accept(incoming({ id: 'e1', key: 'other' }))).outcome, 'duplicate')
})

test('a repeat is answered without waiting for the lane', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  const running = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }) => {
      if (id !== 'slow') return
      running.resolve()
      await finish.promise
    },
    bench,
  )
  await delivery.accept(incoming({ id: 'e1' }))
  const slow = delivery.accept(incoming({ id: 'slow' }))
  await running.promise

  assert.equal((await delivery.accept(incoming({ id: 'e1' }))).outcome, 'duplicate')
  finish.resolve()
  await slow
})

for (const execution of ['transaction', 'steps'] as const) {
  test(`five parallel deliveries of one ${execution} event have one effect`, async (t) => {
    const bench = await createWorkbench(t, { lockTimeoutMs: 8_000 })
    await bench.database.query(effects)
    const delivery =
      execution === 'transaction'
        ? createDelivery(
            contractOf('transaction'),
            async ({ id }, { tx }) => void (await tx.query(insertEffect, [id])),
            bench,
          )
        : createDelivery(
            contractOf('steps'),
            async ({ id }, { commit }) => commit(async ({ tx }) => void (await tx.query(insertEffect, [id]))),
            bench,
          )

    // All five are under way before the first can go on: the lane is locked before the first comes.
    const locked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    t.after(() => goOn.resolve()) // an open transaction would keep the pool from ending
    const blocker = bench.database.transaction(async (tx) => {
      await tx.query(`SELECT sluice.lock_lane('tested', 'k')`)
      locked.resolve()
      await goOn.promise
    })
    await locked.promise
    const delivering = Array.from({ length: 5 }, () => delivery.accept(incoming({ id: 'e1' })))
    const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    await until('all wait for the lane', async () => (await bench.rows(waiting)).length === 5)
    goOn.resolve()
    await blocker
    const answers = await Promise.all(delivering)
    for (const lane of await take(bench.database)) await delivery.run(lane.incoming, lane.token)

    const outcomes = answers.map(({ outcome }) => outcome).toSorted()
    assert.deepEqual(outcomes, [
      execution === 'transaction' ? 'done' : 'duplicate',
      'duplicate',
      'duplicate',
      'duplicate',
      execution === 'transaction' ? 'duplicate' : 'parked',
    ])
    assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1' }])
  })
}

test('with ordering none every event is its own lane', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps', { ordering: 'none' }), async () => undefined, bench)
  for (const id of ['e1', 'e2', 'e3']) await delivery.accept(incoming({ id }))
  assert.equal((await take(bench.database)).length, 3)
})
