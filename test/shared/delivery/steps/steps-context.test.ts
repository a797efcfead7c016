// Journalled steps: what a crash, a failure or another try repeats, and what it never repeats.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDelivery,
  type Delivery,
  type StepsContext,
  type StepsHandler,
} from '../../../../shared/delivery/index.ts'
import { RejectedError } from '../../../../shared/errors/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, published, take, type Workbench } from '../workbench.ts'

/** A run that ends as a kill ends it: the handler is never heard of again, and the lease is over. */
async function runAndDie(bench: Workbench, delivery: Delivery, died: Promise<void>): Promise<void> {
  const [lane] = await take(bench.database)
  assert.ok(lane)
  void delivery.run(lane.incoming, lane.token)
  await died
  await bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp() - interval '1 ms'`)
}

async function run(bench: Workbench, delivery: Delivery) {
  const [lane] = await until('a lane is due', async () => {
    const lanes = await take(bench.database)
    return lanes.length > 0 && lanes
  })
  assert.ok(lane)
  return delivery.run(lane.incoming, lane.token)
}

const stepsContract = (attempts = 5) =>
  contractOf('steps', { delivery: { attempts, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 60_000 } })

test('a finished step returns its journalled result after a crash and its function is not called again', async (t) => {
  const bench = await createWorkbench(t)
  const calls: string[] = []
  const died = Promise.withResolvers<void>()
  const results: unknown[] = []
  const delivery = createDelivery(
    stepsContract(),
    async (_, { step, attempt }) => {
      for (const effect of ['read', 'idempotent'] as const) {
        const name = `${effect} step`
        results.push(
          await step(name, { effect }, async () => {
            calls.push(name)
            return { at: new Date(0), text: 'a\0b \ud800', missing: undefined }
          }),
        )
      }
      const once = await step('once step', { effect: 'once' }, async () => void calls.push('once step'))
      results.push(once)
      if (attempt > 1) return
      died.resolve()
      await new Promise(() => undefined)
    },
    bench,
  )
  await delivery.accept(incoming())
  await runAndDie(bench, delivery, died.promise)
  assert.equal((await run(bench, delivery)).outcome, 'done')

  assert.deepEqual(calls, ['read step', 'idempotent step', 'once step'])
  const json = { at: '1970-01-01T00:00:00.000Z', text: 'a\0b \ud800' }
  const once = { outcome: 'known', value: undefined }
  assert.deepEqual(results, [json, json, once, json, json, once])
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.step'), [], 'the journal of a done event is gone')
})

test('a once step whose end was not seen is unknown and never runs again; read and idempotent ones do', async (t) => {
  const bench = await createWorkbench(t)
  for (const effect of ['once', 'read', 'idempotent'] as const) {
    let calls = 0
    const died = Promise.withResolvers<void>()
    const seen: unknown[] = []
    const keys = new Set<string>()
    const delivery = createDelivery(
      stepsContract(),
      async (_, { step }) => {
        const fn: Parameters<StepsContext['step']>[2] = async ({ idempotencyKey }) => {
          keys.add(idempotencyKey)
          calls += 1
          if (calls > 1) return 'second'
          died.resolve()
          return new Promise<string>(() => undefined)
        }
        seen.push(effect === 'once' ? await step('s', { effect }, fn) : await step('s', { effect }, fn))
      },
      bench,
    )
    await delivery.accept(incoming())
    await runAndDie(bench, delivery, died.promise)
    assert.equal((await run(bench, delivery)).outcome, 'done')
    assert.deepEqual(seen, effect === 'once' ? [{ outcome: 'unknown' }] : ['second'])
    assert.equal(calls, effect === 'once' ? 1 : 2)
    assert.equal(keys.size, 1, 'the same idempotency key for every run of the step')
  }
})

test('the start of a step is durable before its function is called', async (t) => {
  const bench = await createWorkbench(t)
  const other = await bench.connect()
  let seen: unknown
  const delivery = createDelivery(
    stepsContract(),
    async ({ id }, { step }) => {
      await step('call', { effect: 'once' }, async () => {
        seen = (await other.query('SELECT name, effect, state FROM sluice.step WHERE id = $1', [id])).rows
      })
    },
    bench,
  )
  await delivery.accept(incoming())
  await run(bench, delivery)
  assert.deepEqual(seen, [{ name: 'call', effect: 'once', state: 'started' }])
})

test('a step that throws leaves read and idempotent re-runnable and once unknown', async (t) => {
  const bench = await createWorkbench(t)
  for (const effect of ['read', 'idempotent', 'once'] as const) {
    let calls = 0
    const seen: unknown[] = []
    const delivery = createDelivery(
      stepsContract(),
      async (_, { step }) => {
        const fn = async (): Promise<string> => {
          calls += 1
          if (calls === 1) throw new Error('cut')
          return 'ok'
        }
        seen.push(effect === 'once' ? await step('s', { effect }, fn) : await step('s', { effect }, fn))
      },
      bench,
    )
    await delivery.accept(incoming())
    assert.equal((await run(bench, delivery)).outcome, 'retrying')
    assert.equal((await run(bench, delivery)).outcome, 'done')
    assert.deepEqual(seen, effect === 'once' ? [{ outcome: 'unknown' }] : ['ok'])
  }
})

test('a transaction step commits its effects, its emissions and its row together, and happens once', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text)')
  let calls = 0
  const seen: unknown[] = []
  const delivery = createDelivery(
    stepsContract(),
    async ({ id }, { transaction, attempt }) => {
      seen.push(
        await transaction('store', async ({ tx, emit }) => {
          calls += 1
          await tx.query('INSERT INTO effect VALUES ($1)', [`${id} ${calls}`])
          emit(toolCallFinished, finished(String(calls)), { key: 's' })
          if (attempt === 1) throw new Error('before its end')
          return { call: calls }
        }),
      )
      if (attempt === 2) throw new Error('after its end')
    },
    bench,
  )
  await delivery.accept(incoming({ id: 'e' }))
  for (const outcome of ['retrying', 'retrying', 'done']) assert.equal((await run(bench, delivery)).outcome, outcome)

  assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e 2' }])
  assert.deepEqual(seen, [{ call: 2 }, { call: 2 }])
  await until('one event is published', async () => (await published(bench.eventLog, 'tool.results')).length === 1)
})

test('commit ends the event with its effects; nothing can be journalled after it', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text)')
  const refused: unknown[] = []
  const delivery = createDelivery(
    stepsContract(),
    async ({ id }, { commit, step, transaction }) => {
      const result = await commit(async ({ tx, emit }) => {
        await tx.query('INSERT INTO effect VALUES ($1)', [id])
        emit(toolCallFinished, finished('c'), { key: 's' })
        return 'stored'
      })
      assert.equal(result, 'stored')
      const [row] = await bench.rows('SELECT state FROM sluice.inbox')
      assert.deepEqual(row, { state: 'done' })
      await step('late', { effect: 'read' }, async () => 1).catch((error: unknown) => refused.push(error))
      await transaction('late', async () => 1).catch((error: unknown) => refused.push(error))
      await commit(async () => 1).catch((error: unknown) => refused.push(error))
    },
    bench,
  )
  await delivery.accept(incoming({ id: 'e' }))
  assert.equal((await run(bench, delivery)).outcome, 'done')
  assert.equal(refused.length, 3)
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.step'), [])
})

test('a commit that failed does not end the event when the handler returns all the same; a second commit may', async (t) => {
  const bench = await createWorkbench(t)
  const failing: StepsHandler = async (_, { commit }) => {
    await commit(async () => Promise.reject(new Error('no'))).catch(() => undefined)
  }
  const delivery = createDelivery(stepsContract(), failing, bench)
  await delivery.accept(incoming())
  assert.deepEqual(await run(bench, delivery), { status: 202, outcome: 'retrying', code: 'handler_failed' })

  const mending = createDelivery(
    stepsContract(),
    async (_, { commit }) => {
      await commit(async () => Promise.reject(new Error('no'))).catch(() => undefined)
      await commit(async () => undefined)
    },
    bench,
  )
  assert.equal((await run(bench, mending)).outcome, 'done')
})

test('a result over 1 MiB of JSON, or none of JSON, is refused; one at the limit passes', async (t) => {
  const bench = await createWorkbench(t)
  const limit = 1_048_576
  const results = [
    ['x'.repeat(limit - 3), 'done'],
    ['x'.repeat(limit - 2), 'done'],
    ['x'.repeat(limit - 1), 'dead'],
    [10n, 'dead'],
    [() => 1, 'dead'],
  ]
  for (const [result, outcome] of results) {
    const delivery = createDelivery(
      stepsContract(),
      async (_, { step }) => void (await step('s', { effect: 'read' }, async () => result)),
      bench,
    )
    await delivery.accept(incoming())
    assert.equal((await run(bench, delivery)).outcome, outcome)
  }
})

test('steps run side by side; one name used for two steps at once, or for another effect, is refused', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(
    stepsContract(1),
    async (_, { step }) => {
      const both = await Promise.all(['a', 'b'].map((name) => step(name, { effect: 'read' }, async () => name)))
      assert.deepEqual(both, ['a', 'b'])
      const twice = ['c', 'c'].map((name) => step(name, { effect: 'read' }, async () => name))
      const outcomes = await Promise.allSettled(twice)
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      )
      await assert.rejects(
        step('a', { effect: 'idempotent' }, async () => 'a'),
        { code: 'internal' },
      )
    },
    bench,
  )
  await delivery.accept(incoming())
  assert.equal((await run(bench, delivery)).outcome, 'done')
})

test('every write of a run that lost its lane is refused: start and end of steps, transaction, commit, settlement', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text)')
  const loseLane = () => bench.database.query('UPDATE sluice.lane SET epoch = epoch + 1')
  const writes: Record<string, StepsHandler> = {
    start: async (_, { step }) => {
      await loseLane()
      await step('s', { effect: 'read' }, async () => assert.fail('must not run'))
    },
    end: async (_, { step }) => {
      await step('s', { effect: 'read' }, async () => void (await loseLane()))
    },
    transaction: async (_, { transaction }) => {
      await transaction('s', async ({ tx }) => {
        await tx.query(`INSERT INTO effect VALUES ('x')`)
        await loseLane()
      })
    },
    commit: async (_, { commit }) => {
      await commit(async ({ tx }) => {
        await tx.query(`INSERT INTO effect VALUES ('x')`)
        await loseLane()
      })
    },
    settlement: async () => void (await loseLane()),
    failure: async () => {
      await loseLane()
      throw new Error('it failed, too')
    },
    rejection: async () => {
      await loseLane()
      throw new RejectedError({ reason: 'never' })
    },
  }
  for (const [name, handler] of Object.entries(writes)) {
    const delivery = createDelivery(stepsContract(), handler, bench)
    await delivery.accept(incoming({ id: name, key: name }))
    const [lane] = await take(bench.database)
    assert.ok(lane)
    assert.deepEqual(
      await delivery.run(lane.incoming, lane.token),
      { status: 409, outcome: 'stale', code: 'lease_lost' },
      name,
    )
  }
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
  assert.deepEqual(await bench.rows(`SELECT * FROM sluice.step WHERE state = 'done'`), [])
  assert.equal((await bench.rows('SELECT * FROM sluice.parked')).length, Object.keys(writes).length)
})
