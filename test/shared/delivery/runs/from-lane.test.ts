// Runs of parked events: attempts, and what becomes of the lane.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { RetryLaterError } from '../../../../shared/errors/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, published, take } from '../workbench.ts'
import { drive, effects, insertEffect } from './drive-lanes.ts'

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
