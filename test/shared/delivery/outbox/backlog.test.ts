import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBacklog, createTransactional } from '../../../../shared/delivery/index.ts'
import type { Queryable } from '../../../../shared/database/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { createManualClock } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished } from '../workbench.ts'

const full = { code: 'outbox_full', status: 503, retryAfterMs: 5_000 }

/** A database in which so many events wait. */
function waitingIn(waiting: { count: number }) {
  const looks: number[] = []
  const query = async () => {
    looks.push(waiting.count)
    return { rows: [{ waiting: waiting.count }], rowCount: 1 }
  }
  return { looks, database: { query } as unknown as Queryable }
}

test('a request is refused when as many events wait as may, and costs no query', async () => {
  const waiting = { count: 0 }
  const { database, looks } = waitingIn(waiting)
  const clock = createManualClock()
  const backlog = createBacklog({ most: 3 }, { database, clock })
  await backlog.start(new AbortController().signal)
  for (const count of [1, 2]) {
    await backlog.admit()
    waiting.count = count
  }
  assert.deepEqual(looks, [])
  await backlog.admit()
  waiting.count = 3
  await assert.rejects(backlog.admit(), full)
  assert.deepEqual(looks, [3], 'it looked once, before it refused')
  for (let again = 0; again < 100; again += 1) await assert.rejects(backlog.admit(), full)
  assert.deepEqual(looks, [3])
  waiting.count = 2
  await clock.advance(1_000)
  await backlog.admit()
  waiting.count = 3
  await assert.rejects(backlog.admit(), full)
  await backlog.stop()
  assert.deepEqual(clock.waiting, [])
})

test('what was published since the last look is not counted', async () => {
  const { database } = waitingIn({ count: 0 })
  const backlog = createBacklog({ most: 2 }, { database, clock: createManualClock() })
  for (let request = 0; request < 100; request += 1) await backlog.admit()
})

test('nothing is looked at while nothing waits', async () => {
  const { database, looks } = waitingIn({ count: 0 })
  const clock = createManualClock()
  const backlog = createBacklog({ most: 2 }, { database, clock })
  await backlog.start(new AbortController().signal)
  await clock.advance(60_000)
  assert.deepEqual(looks, [])
  await backlog.admit()
  await clock.advance(60_000)
  assert.deepEqual(looks, [0])
})

test('events of all keys and processes that are not published count', { timeout: 60_000 }, async (t) => {
  const bench = await createWorkbench(t)
  const backlog = createBacklog({ most: 3 }, bench)
  await backlog.admit()
  const silent = { ...bench.outbox, publish: () => undefined }
  const { transaction } = createTransactional(contractOf('transaction'), { ...bench, outbox: silent })
  for (const key of ['a', 'a', 'b'])
    await transaction(async ({ emit }) => emit(toolCallFinished, finished('c', key), { key }), { tenant: 'acme' })
  await backlog.admit()
  await backlog.admit()
  await assert.rejects(backlog.admit(), full)
})
