// A failing run on the source's request: what is undone, what is recorded, and what is answered.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { createDelivery, type Emit, type TransactionHandler } from '../../../../shared/delivery/index.ts'
import { RejectedError, RetryLaterError, type SluiceError } from '../../../../shared/errors/index.ts'
import { toolCallFinished, toolCallRequested } from '../../../../shared/events/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, finished, incoming, published, take } from '../workbench.ts'

const effects = 'CREATE TABLE effect (id text)'
const insertEffect = 'INSERT INTO effect (id) VALUES ($1)'

test('a failure undoes effects and emissions and parks the event, with back-off and full jitter, in the same transaction', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  const contract = contractOf('transaction', {
    delivery: { attempts: 3, backoff: { firstMs: 60_000, maxMs: 60_000 }, timeoutMs: 5_000 },
  })
  const delivery = createDelivery(
    contract,
    async ({ id }, { tx, emit }) => {
      await tx.query(insertEffect, [id])
      emit(toolCallFinished, finished('c'), { key: 's' })
      throw new Error('the dependency coughs')
    },
    { ...bench, random: () => 0.5 },
  )

  assert.deepEqual(await delivery.accept(incoming({ id: 'e1' })), {
    status: 202,
    outcome: 'retrying',
    code: 'handler_failed',
  })
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.outbox'), [])
  const [parked] = await bench.rows(`SELECT p.id, p.attempts, p.cause, p.detail, i.state, p.tenant, p.topic,
    extract(epoch FROM p.due_at - p.at)::float8 AS waits FROM sluice.parked p JOIN sluice.inbox i USING (function, source, id)`)
  const { waits, ...facts } = parked as { waits: number }
  assert.deepEqual(facts, {
    id: 'e1',
    attempts: 1,
    cause: 'handler_failed',
    detail: 'the dependency coughs',
    state: 'parked',
    tenant: 'acme',
    topic: 'tool.requests',
  })
  assert.ok(Math.abs(waits - 30) < 1, `half of the ceiling: ${waits} s`)
})

test('RetryLaterError sets the time of the next try', async (t) => {
  const bench = await createWorkbench(t)
  const handler = async (): Promise<void> => {
    throw new RetryLaterError({ afterMs: 7_000, reason: 'Retry-After: 7' })
  }
  const delivery = createDelivery(contractOf('transaction'), handler, bench)
  await delivery.accept(incoming())
  const [row] = await bench.rows<{ waits: number }>(
    'SELECT extract(epoch FROM due_at - at)::float8 AS waits FROM sluice.parked',
  )
  assert.ok(Math.abs((row?.waits ?? 0) - 7) < 0.5, `${row?.waits} s`)
})

test('RejectedError makes a dead letter at once, with the raw bytes and a copy for the dead-letter topic', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx }) => {
      await tx.query(insertEffect, [id])
      throw new RejectedError({ reason: 'no such tool' })
    },
    { ...bench, versions: { functionVersion: 'v7', configVersion: 'c3' } },
  )
  const event = incoming({ id: 'e1', key: 's1' })

  assert.deepEqual(await delivery.accept(event), { status: 202, outcome: 'dead', code: 'rejected' })
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [{ state: 'dead' }])
  const [dead] = await bench.rows('SELECT * FROM sluice.dead_letter')
  assert.equal(dead?.['cause'], 'rejected')
  assert.equal(dead?.['message'], 'no such tool')
  assert.deepEqual(dead?.['raw'], event.raw)
  assert.equal(dead?.['attempts'], 1)
  assert.match(String(dead?.['fingerprint']), /^[0-9a-f]{16}$/)
  assert.equal(dead?.['function_version'], 'v7')
  assert.equal(dead?.['config_version'], 'c3')
  assert.equal(dead?.['tenant'], 'acme')
  assert.match(String(dead?.['trace']), /^00-/)
  const [copy] = await until('the copy is published', async () => {
    const records = await published(bench.eventLog, 'tool.requests.dlq')
    return records.length > 0 && records
  })
  assert.equal(copy?.id, 'e1')
  assert.equal(copy?.key, 's1')
  assert.equal(copy?.header('ce_sluicecause'), 'rejected')
  assert.equal(copy?.header('ce_sluiceattempts'), '1')
  assert.equal(copy?.header('ce_sluicefingerprint'), dead?.['fingerprint'])
  assert.deepEqual(copy?.data, event.raw)
  // a redelivery is absorbed
  assert.equal((await delivery.accept(event)).outcome, 'duplicate')
})

const refusedAtCommit = {
  'a constraint that is deferred': `INSERT INTO child VALUES ('nobody')`,
  'the error of a statement that the handler swallowed': 'SELECT 1 / 0',
}
for (const [what, sql] of Object.entries(refusedAtCommit)) {
  test(`what COMMIT refuses is the failure of the handler: ${what}`, async (t) => {
    const bench = await createWorkbench(t)
    await bench.database.query(effects)
    await bench.database.query(`CREATE TABLE parent (id text PRIMARY KEY);
      CREATE TABLE child (parent text REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`)
    const delivery = createDelivery(
      contractOf('transaction'),
      async ({ id }, { tx }) => {
        await tx.query(insertEffect, [id])
        await tx.query(sql).catch(() => undefined)
      },
      bench,
    )
    const event = incoming({ id: 'e1' })
    const answer = await delivery.accept(event)
    assert.deepEqual(answer, { status: 202, outcome: 'retrying', code: 'handler_failed' })
    assert.equal((await delivery.accept(event)).outcome, 'duplicate')
    assert.equal((await delivery.accept(incoming({ id: 'e2' }))).outcome, 'parked')
    const parked = await bench.rows('SELECT id, attempts, cause FROM sluice.parked ORDER BY position')
    assert.deepEqual(parked[0], { id: 'e1', attempts: 1, cause: 'handler_failed' })

    await until('both are dead letters', async () => {
      for (const lane of await take(bench.database)) await delivery.run(lane.incoming, lane.token)
      return (await bench.rows('SELECT FROM sluice.dead_letter')).length === 2
    })
    assert.deepEqual(await bench.rows('SELECT DISTINCT attempts FROM sluice.dead_letter'), [{ attempts: 3 }])
    assert.deepEqual(await bench.rows('SELECT FROM effect'), [])
  })
}

test('an event whose only attempt is refused at COMMIT is a dead letter at once', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  const contract = contractOf('transaction', {
    delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000 },
  })
  const delivery = createDelivery(
    contract,
    async (_, { tx }) => void (await tx.query('INSERT INTO once VALUES (1), (1)')),
    bench,
  )
  assert.deepEqual(await delivery.accept(incoming()), { status: 202, outcome: 'dead', code: 'handler_failed' })
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [{ state: 'dead' }])
})

const refusedEmissions = {
  unknown_topic: (emit) =>
    emit(toolCallRequested, { session_id: 's', turn_id: 't', call_id: 'c', tool: 'x', arguments: {} }, { key: 'k' }),
  data_invalid: (emit) => emit(toolCallFinished, { ...finished('c'), status: 'perhaps' as 'failed' }, { key: 'k' }),
  event_too_large: (emit) =>
    emit(toolCallFinished, { ...finished('c'), result: { text: 'x'.repeat(1_000_000) } }, { key: 'k' }),
  invalid_parameter: (emit) => emit(toolCallFinished, finished('c'), { key: 'k'.repeat(513) }),
  invalid_character: (emit) => emit(toolCallFinished, { ...finished('c'), result: { text: 'a\0b' } }, { key: 'k' }),
} satisfies Record<string, (emit: Emit) => string>

for (const [code, emitBadly] of Object.entries(refusedEmissions)) {
  test(`an emission that is refused with ${code} fails the run for good`, async (t) => {
    const bench = await createWorkbench(t)
    const delivery = createDelivery(contractOf('transaction'), async (_, { emit }) => void emitBadly(emit), bench)
    assert.deepEqual(await delivery.accept(incoming()), { status: 202, outcome: 'dead', code })
    assert.deepEqual(await bench.rows(`SELECT * FROM sluice.outbox WHERE topic = 'tool.results'`), [])
  })
}

test('a handler that is over its time is parked, and writes nothing afterwards', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  const late = Promise.withResolvers<unknown>()
  const contract = contractOf('transaction', {
    delivery: { attempts: 3, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 50 },
  })
  const delivery = createDelivery(
    contract,
    async ({ id }, { tx, emit, signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      // ignores the signal and goes on
      await sleep(5)
      await tx.query(insertEffect, [id]).catch(late.resolve)
      assert.throws(() => emit(toolCallFinished, finished('c'), { key: 'k' }), { code: 'aborted' })
    },
    bench,
  )

  assert.deepEqual(await delivery.accept(incoming()), { status: 202, outcome: 'retrying', code: 'deadline_exceeded' })
  assert.equal(((await late.promise) as SluiceError).code, 'aborted')
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
})

test('a statement that fails leaves a transaction in which the event can still be parked', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(
    contractOf('transaction'),
    async (_, { tx }) => void (await tx.query('SELECT 1/0')),
    bench,
  )
  // division by zero is in class 22: the value is at fault
  assert.deepEqual(await delivery.accept(incoming()), { status: 202, outcome: 'dead', code: 'database_rejected' })
  const undefinedTable = createDelivery(
    contractOf('transaction'),
    async (_, { tx }) => void (await tx.query('SELECT * FROM nowhere')),
    bench,
  )
  assert.deepEqual(await undefinedTable.accept(incoming()), {
    status: 202,
    outcome: 'retrying',
    code: 'handler_failed',
  })
})

test('a statement that a handler did not await and that fails is the failure of its event, and ends no process', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text PRIMARY KEY)')
  const handler: TransactionHandler = async ({ id }, { tx }) => {
    await tx.query(insertEffect, [id])
    void tx.query(insertEffect, [id])
  }
  const delivery = createDelivery(contractOf('transaction'), handler, bench)
  const { outcome } = await delivery.accept(incoming({ id: 'e1' }))
  assert.equal(outcome, 'retrying')
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
  assert.deepEqual(await bench.rows('SELECT id, attempts FROM sluice.parked'), [{ id: 'e1', attempts: 1 }])
})

test('a handler that swallows the error of a statement does not commit half of its work', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx, emit }) => {
      await tx.query(insertEffect, [id])
      await tx.query('SELECT * FROM nowhere').catch(() => undefined)
      emit(toolCallFinished, finished('c'), { key: 'k' })
    },
    bench,
  )
  assert.equal((await delivery.accept(incoming())).outcome, 'retrying')
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
})

test('a lost database rolls everything back: 503 with Retry-After, and the event is new when it comes again', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query(effects)
  let lose = true
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx }) => {
      await tx.query(insertEffect, [id])
      if (lose)
        await bench.database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()`,
        )
    },
    bench,
  )

  assert.deepEqual(await delivery.accept(incoming({ id: 'e1' })), {
    status: 503,
    outcome: 'refused',
    code: 'database_unavailable',
    retryAfterS: 5,
  })
  assert.deepEqual(await bench.rows('SELECT id FROM sluice.inbox'), [])
  lose = false
  assert.equal((await delivery.accept(incoming({ id: 'e1' }))).outcome, 'done')
  assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1' }])
})

test('a drain that runs out of time rolls a run back and answers 503', async (t) => {
  const bench = await createWorkbench(t)
  const running = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('transaction'),
    async (_, { signal }) => {
      running.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    },
    bench,
  )
  const answer = delivery.accept(incoming({ id: 'e1' }))
  await running.promise

  assert.deepEqual(await delivery.release(), ['e1'])
  assert.deepEqual(await answer, { status: 503, outcome: 'refused', code: 'draining', retryAfterS: 5 })
  assert.deepEqual(await bench.rows('SELECT id FROM sluice.inbox'), [])
})

test('with one attempt allowed the first failure is the last', async (t) => {
  const bench = await createWorkbench(t)
  const contract = contractOf('transaction', {
    delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 1_000 },
  })
  const delivery = createDelivery(contract, async () => Promise.reject(new Error('no')), bench)
  assert.deepEqual(await delivery.accept(incoming()), { status: 202, outcome: 'dead', code: 'handler_failed' })
  assert.equal((await take(bench.database)).length, 0)
})

test('outbox rows that cannot be stored undo everything, and the event is parked as after any failure', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 150 })
  await bench.database.query(effects)
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx, emit }) => {
      await tx.query(insertEffect, [id])
      emit(toolCallFinished, finished('c'), { key: 's' })
    },
    bench,
  )
  assert.equal((await delivery.accept(incoming({ id: 'e1' }))).outcome, 'done')
  const answer = await bench.database.transaction(async (tx) => {
    await tx.query('SELECT FROM sluice.outbox_key FOR UPDATE')
    return delivery.accept(incoming({ id: 'e2' }))
  })
  assert.equal(answer.outcome, 'retrying')
  assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1' }])
  assert.deepEqual(await bench.rows('SELECT id, attempts FROM sluice.parked'), [{ id: 'e2', attempts: 1 }])
  assert.deepEqual(await bench.rows(`SELECT state FROM sluice.inbox WHERE id = 'e2'`), [{ state: 'parked' }])
})
