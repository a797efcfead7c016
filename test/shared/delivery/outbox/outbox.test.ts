// What is emitted gets into the log: all of it, in the order of its key, whoever publishes and whatever dies in between.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../../shared/database/index.ts'
import {
  createDelivery,
  createOutbox,
  createRelay,
  createTransactional,
  type Outbox,
} from '../../../../shared/delivery/index.ts'
import type { EventLog } from '../../../../shared/event-log/index.ts'
import { toolCallFinished, topics } from '../../../../shared/events/index.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { atEnd, startChild, until } from '../../../support/index.ts'
import {
  contractOf,
  createWorkbench,
  finished,
  incoming,
  published,
  type PublishedRecord,
  type Workbench,
} from '../workbench.ts'

const topic = topics.toolResults.name

/** Emits as another process does: its own pool, its own outbox. */
async function emitter(
  bench: Workbench,
  changes: {
    readonly log?: EventLog | undefined
    readonly failpoints?: Workbench['failpoints']
    readonly clock?: Workbench['clock']
    readonly poolSize?: number
  } = {},
) {
  const { poolSize = 20 } = changes
  const connected = await bench.connect({ poolSize })
  let claims = 0
  const database: Database = {
    ...connected,
    query: (sql, values) => {
      if (typeof sql !== 'string' && sql.name === 'sluice.claim_outbox') claims += 1
      return connected.query(sql, values)
    },
  }
  const outbox = createOutbox(
    {},
    {
      ...bench,
      database,
      eventLog: 'log' in changes ? changes.log : bench.eventLog,
      failpoints: changes.failpoints ?? bench.failpoints,
      clock: changes.clock ?? bench.clock,
    },
  )
  const { transaction } = createTransactional(contractOf('transaction'), { ...bench, database, outbox, ...changes })
  return { database, outbox, transaction, claims: () => claims }
}

/** Takes nothing while it is down. */
const failing = (log: EventLog, isDown: () => boolean): EventLog => ({
  ...log,
  append: async (records, options) => {
    if (isDown()) throw new SluiceError('event_log_unavailable', 'the broker is away')
    return log.append(records, options)
  },
})

const emitOne = (transaction: Awaited<ReturnType<typeof emitter>>['transaction'], key: string, callId: string) =>
  transaction(async ({ emit }) => emit(toolCallFinished, finished(callId, key), { key }), { tenant: 'acme' })

/** Checks I5: every row is in the log, and the first occurrences of a key are in the order of its rows, without a gap. */
async function assertOutboxEqualsLog(bench: Workbench): Promise<readonly PublishedRecord[]> {
  const rows = await bench.rows<{ key: string; sequence: number; id: string; state: string }>(
    'SELECT key, sequence, id, state FROM sluice.outbox ORDER BY key, sequence',
  )
  const records = await published(bench.eventLog, topic)
  const firsts = new Map<string, string[]>()
  const seen = new Set<string>()
  for (const { key, id, sequence } of records) {
    if (seen.has(id)) continue
    seen.add(id)
    const order = firsts.get(key) ?? []
    firsts.set(key, order)
    order.push(id)
    assert.equal(sequence, order.length, `sequence of ${key} has no gap`)
  }
  const expected = Map.groupBy(rows, ({ key }) => key)
  for (const [key, keyRows] of expected)
    assert.deepEqual(
      firsts.get(key),
      keyRows.map(({ id }) => id),
      `order of ${key}`,
    )
  assert.ok(rows.every(({ state }) => state === 'sent'))
  assert.equal(seen.size, rows.length)
  return records
}

const allSent = (bench: Workbench) =>
  until(
    'every row is sent',
    async () => (await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)).length === 0,
    { limitMs: 20_000 },
  )

/** A log that refuses some appends, and of some that it did store, its first among them, says that it failed. Seeded. */
function unreliable(log: EventLog, share: number, seed: number): EventLog {
  let state = seed
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
  let isFirst = true
  const fail = (): never => {
    throw new SluiceError('event_log_unavailable', 'injected')
  }
  return {
    ...log,
    append: async (records, options) => {
      if (!isFirst && random() < share) fail()
      const positions = await log.append(records, options)
      if (isFirst || random() < share) {
        isFirst = false
        fail()
      }
      return positions
    },
  }
}

test('many emitters and publishers of few keys keep the order of each key, with a log that fails in every way', async (t) => {
  const bench = await createWorkbench(t)
  const keys = ['a', 'b', 'c']
  const emitters = await Promise.all(
    [1, 2, 3].map((seed) => emitter(bench, { log: unreliable(bench.eventLog, 0.2, seed) })),
  )
  const relays = emitters
    .slice(0, 2)
    .map(({ outbox, database }) => createRelay({ outbox, database, clock: bench.clock }))
  for (const relay of relays) {
    atEnd(t, () => relay.stop())
    await relay.start(AbortSignal.timeout(5_000))
  }
  await Promise.all(
    emitters.flatMap(({ transaction }, worker) =>
      [0, 1].map(async (lane) => {
        for (let n = 0; n < 25; n += 1) {
          await transaction(
            async ({ emit }) => {
              for (const key of n % 2 === 0 ? keys : keys.toReversed())
                emit(toolCallFinished, finished(`${worker}-${lane}-${n}`, key), { key })
            },
            { tenant: 'acme' },
          )
        }
      }),
    ),
  )
  await allSent(bench)
  const records = await assertOutboxEqualsLog(bench)
  assert.ok(records.length > 450, `the faults happened: ${records.length} records for 450 rows`)
})

test('emitters that name the same keys in opposite order never deadlock', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction } = await emitter(bench)
  const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      transaction(
        async ({ emit }) => {
          for (const key of index % 2 === 0 ? keys : keys.toReversed())
            emit(toolCallFinished, finished('c', key), { key })
        },
        { tenant: 'acme' },
      ),
    ),
  )
  await allSent(bench)
  await assertOutboxEqualsLog(bench)
})

test('what is emitted for idle keys is published without a claim, as it was when it was emitted', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction, claims } = await emitter(bench)
  for (let n = 0; n < 3; n += 1) {
    await transaction(
      async ({ emit }) => {
        const data = finished(`${n}`, 'a')
        for (const key of ['b', 'a', 'a']) emit(toolCallFinished, data, { key })
        Object.assign(data, finished('changed', 'b'))
      },
      { tenant: 'acme' },
    )
    await emitOne(transaction, `c${n}`, '1')
    await allSent(bench)
  }
  const records = await assertOutboxEqualsLog(bench)
  assert.equal(claims(), 0)
  assert.equal(records.length, 12)
  assert.equal(records.filter(({ data }) => data?.includes('changed')).length, 0)
  assert.deepEqual(await bench.rows('SELECT DISTINCT token, lease_until FROM sluice.outbox_key'), [
    { token: null, lease_until: null },
  ])
})

test('what handlers emit for idle keys is published without a claim, also while more of them run than there are connections', async (t) => {
  const bench = await createWorkbench(t)
  const { claims, ...own } = await emitter(bench, { poolSize: 3 })
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { emit }) => void emit(toolCallFinished, finished(id, id), { key: id }),
    { ...bench, ...own },
  )
  const events = Array.from({ length: 60 }, (_, index) => incoming({ id: `e${index}`, key: `k${index}` }))
  const answers = await Promise.all(events.map((event) => delivery.accept(event)))
  assert.ok(answers.every(({ outcome }) => outcome === 'done'))
  await allSent(bench)
  assert.equal((await assertOutboxEqualsLog(bench)).length, 60)
  assert.equal(claims(), 0)
})

test('the answer to the store may be heard later than that to COMMIT', async (t) => {
  const bench = await createWorkbench(t)
  const { database, outbox, claims } = await emitter(bench)
  const slowly: Database = {
    ...database,
    transaction: (work, options) =>
      database.transaction(
        (tx) =>
          work({
            ...tx,
            query: async (sql, values) => {
              const answer = await tx.query<never>(sql, values)
              for (let n = 0; n < 50; n += 1) await Promise.resolve()
              return answer
            },
          }),
        options,
      ),
  }
  const { transaction } = createTransactional(contractOf('transaction'), { ...bench, database: slowly, outbox })
  await emitOne(transaction, 'a', '1')
  await outbox.stop()
  assert.equal((await assertOutboxEqualsLog(bench)).length, 1)
  assert.equal(claims(), 0)
})

test('two processes that emit for one key in turn publish in the order of their commits', async (t) => {
  const bench = await createWorkbench(t)
  const emitters = await Promise.all([emitter(bench), emitter(bench)])
  const relay = createRelay({ outbox: bench.outbox, database: bench.database, clock: bench.clock })
  atEnd(t, () => relay.stop())
  await relay.start(AbortSignal.timeout(5_000))
  const committed: string[] = []
  for (let n = 0; n < 300; n += 1) {
    const { transaction } = emitters[n % 2] ?? assert.fail()
    committed.push(await emitOne(transaction, 'a', `${n}`))
    if (n % 5 === 0) await allSent(bench) // so that it is leased by the one and by the other, and pending for either
  }
  await allSent(bench)
  const records = await assertOutboxEqualsLog(bench)
  assert.deepEqual([...new Set(records.map(({ id }) => id))], committed)
  assert.ok(
    emitters.some(({ claims }) => claims() > 0),
    'the key was in use by the other one',
  )
})

test('a lease that may have run out before the append is not used: the rows are claimed', async (t) => {
  const bench = await createWorkbench(t)
  let late = 0
  const clock = { ...bench.clock, monotonic: () => bench.clock.monotonic() + late }
  const appended: number[] = []
  const log: EventLog = {
    ...bench.eventLog,
    append: async (records, options) => {
      appended.push(claims())
      return bench.eventLog.append(records, options)
    },
  }
  const failpoints = (name: string): void => {
    if (name === 'outbox.after-commit') late += 4_000
  }
  const { transaction, claims } = await emitter(bench, { clock, failpoints, log })
  await emitOne(transaction, 'a', '1')
  await allSent(bench)
  assert.equal((await assertOutboxEqualsLog(bench)).length, 1)
  assert.deepEqual(appended, [1], 'after a claim, and only then')
})

test('a slow transaction that holds a lower sequence is not skipped, and other keys do not wait for it', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 10_000 })
  const { transaction, outbox } = await emitter(bench, { log: undefined })
  const relay = await emitter(bench)
  const stored = Promise.withResolvers<void>()
  const commit = Promise.withResolvers<void>()
  const slow = bench.database.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: string }>(`SELECT gen_random_uuid()::text AS id`)
    const id = rows[0]?.id ?? ''
    const json = JSON.stringify({ specversion: '1.0', id, source: '/slow', type: 'x', data: {}, tenant: 'acme' })
    await outbox.store(tx, [{ topic, key: 'a', id, tenant: 'acme', json }])
    stored.resolve()
    await commit.promise
  })
  await stored.promise
  const behind = emitOne(transaction, 'a', 'second')
  await emitOne(transaction, 'b', 'other')

  await until('the other key is published', async () => {
    await relay.outbox.relay()
    return (await published(bench.eventLog, topic)).length === 1
  })
  assert.equal((await published(bench.eventLog, topic))[0]?.key, 'b')
  commit.resolve()
  await Promise.all([slow, behind])
  while ((await relay.outbox.relay()) > 0);
  await assertOutboxEqualsLog(bench)
})

test('a crash between publish and mark only repeats records', async (t) => {
  const bench = await createWorkbench(t)
  let crash = true
  const failpoints = (name: string): void => {
    if (name === 'outbox.after-publish' && crash) throw new Error('the process ends here')
  }
  const { transaction, outbox } = await emitter(bench, { failpoints })
  for (const callId of ['1', '2']) await emitOne(transaction, 'a', callId)
  await until('the records are in the log', async () => (await published(bench.eventLog, topic)).length > 0)
  await outbox.stop()
  assert.ok((await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)).length > 0)
  assert.equal(await bench.outbox.relay(), 0, 'its lease still holds')

  crash = false
  await bench.database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() - interval '1 ms'`)
  while ((await bench.outbox.relay()) > 0);
  const records = await assertOutboxEqualsLog(bench)
  assert.ok(records.length > 2, 'the first was published twice')
})

for (const point of ['outbox.after-commit', 'outbox.after-publish'] as const) {
  test(`a process killed at ${point} leaves nothing unpublished`, { timeout: 30_000 }, async (t) => {
    const bench = await createWorkbench(t)
    const script = new URL('emitting-process.ts', import.meta.url).pathname
    const child = startChild(t, [script], { env: { TEST_URL: bench.url, TEST_FAILPOINT: point } })
    assert.equal((await child.exited()).signal, 'SIGKILL')
    assert.equal((await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)).length, 2)
    const before = await published(bench.eventLog, topic)
    assert.equal(before.length, point === 'outbox.after-commit' ? 0 : 2)
    assert.equal(await bench.outbox.relay(), 0, 'its lease still holds')

    await bench.database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() - interval '1 ms'`)
    while ((await bench.outbox.relay()) > 0);
    const records = await assertOutboxEqualsLog(bench)
    assert.equal(records.length, before.length + 2)
  })
}

test('a publisher that lost its lease marks nothing', async (t) => {
  const bench = await createWorkbench(t)
  const appending = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const stalled: EventLog = {
    ...bench.eventLog,
    append: async (records, options) => {
      appending.resolve()
      await go.promise
      return bench.eventLog.append(records, options)
    },
  }
  const zombie = await emitter(bench, { log: stalled })
  await emitOne(zombie.transaction, 'a', '1')
  await appending.promise
  await bench.database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() - interval '1 ms'`)
  assert.equal(await bench.outbox.relay(), 1)
  const [marked] = await bench.rows('SELECT partition, log_offset FROM sluice.outbox')

  await emitOne((await emitter(bench, { log: undefined })).transaction, 'a', '2')
  go.resolve()
  await zombie.outbox.stop()
  assert.deepEqual((await bench.rows(`SELECT partition, log_offset FROM sluice.outbox WHERE sequence = 1`))[0], marked)
  assert.deepEqual(await bench.rows('SELECT sent FROM sluice.outbox_key'), [{ sent: 1 }])
  while ((await bench.outbox.relay()) > 0);
  const records = await assertOutboxEqualsLog(bench)
  assert.equal(records.length, 3)
})

test('rows added while their key is being published are claimed again by the same publisher', async (t) => {
  const bench = await createWorkbench(t)
  let appends = 0
  const go = Promise.withResolvers<void>()
  const first = Promise.withResolvers<void>()
  const slowFirst: EventLog = {
    ...bench.eventLog,
    append: async (records, options) => {
      appends += 1
      first.resolve()
      if (appends === 1) await go.promise
      return bench.eventLog.append(records, options)
    },
  }
  const one = await emitter(bench, { log: slowFirst })
  const other = await emitter(bench)
  await emitOne(one.transaction, 'a', '1')
  await first.promise
  await emitOne(other.transaction, 'a', '2')
  await other.outbox.stop()
  assert.equal((await published(bench.eventLog, topic)).length, 0, 'the key is leased to the first publisher')
  go.resolve()
  await allSent(bench)
  await assertOutboxEqualsLog(bench)
})

test('more rows than one claim takes are published in order, large ones too', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction } = await emitter(bench)
  await transaction(
    async ({ emit }) => {
      for (let n = 0; n < 350; n += 1) {
        const result = n % 50 === 0 ? { text: 'x'.repeat(400_000) } : null
        emit(toolCallFinished, { ...finished(String(n), 'a'), result }, { key: 'a' })
      }
    },
    { tenant: 'acme' },
  )
  await allSent(bench)
  await assertOutboxEqualsLog(bench)
})

test('while the log is down events are stored and answered; when it is back the relay publishes them in order', async (t) => {
  const bench = await createWorkbench(t)
  let down = true
  const log = failing(bench.eventLog, () => down)
  const { transaction, outbox, database } = await emitter(bench, { log })
  const relay = createRelay({ outbox, database, clock: bench.clock })
  atEnd(t, () => relay.stop())
  await relay.start(AbortSignal.timeout(5_000))
  for (let n = 0; n < 10; n += 1) await emitOne(transaction, n % 2 === 0 ? 'a' : 'b', String(n))
  await until('the outbox says so', () => outbox.health().status === 'down')
  await emitOne(transaction, 'c', '10')
  await outbox.stop() // has tried all that it was given
  assert.deepEqual(
    await bench.rows('SELECT key FROM sluice.outbox_key WHERE token IS NOT NULL'),
    [],
    'nothing is leased',
  )

  down = false
  await allSent(bench)
  await assertOutboxEqualsLog(bench)
  assert.equal(outbox.health().status, 'up')
})

test('while the log fails nothing is leased: a claim tries it, and with its success leases begin again', async (t) => {
  const bench = await createWorkbench(t)
  let down = true
  const log = failing(bench.eventLog, () => down)
  const { transaction, outbox, claims } = await emitter(bench, { log })
  const claimsFor = async (key: string): Promise<number> => {
    const before = claims()
    await emitOne(transaction, key, '1')
    await outbox.stop() // has tried what it was given
    return claims() - before
  }
  assert.deepEqual([await claimsFor('a'), await claimsFor('b'), await claimsFor('c')], [0, 1, 1])
  down = false
  assert.deepEqual([await claimsFor('d'), await claimsFor('e'), await claimsFor('f')], [1, 0, 0])
  assert.deepEqual(await bench.rows('SELECT key FROM sluice.outbox_key WHERE token IS NOT NULL'), [])
})

test('a claim that finds nothing does not say that the log is back: nothing is leased for that', async (t) => {
  const bench = await createWorkbench(t)
  const log: EventLog = {
    ...bench.eventLog,
    append: async () => {
      throw new SluiceError('event_log_unavailable', 'the broker is away')
    },
  }
  const { transaction, outbox, claims } = await emitter(bench, { log })
  await emitOne(transaction, 'a', '1')
  await outbox.stop()
  await bench.database.query(`UPDATE sluice.outbox_key SET lease_until = clock_timestamp() + interval '1 minute'`)
  await emitOne(transaction, 'a', '2') // it rests
  await outbox.stop()
  assert.equal(claims(), 1)
  await emitOne(transaction, 'b', '1')
  await outbox.stop()
  assert.equal(claims(), 2, 'b was not leased')
})

test('while claims take long only so many keys are noted', async (t) => {
  const bench = await createWorkbench(t)
  const first = Promise.withResolvers<{ rows: never[]; rowCount: number }>()
  let asked = 0
  const database: Database = {
    ...bench.database,
    query: async (_sql, [, keys] = []) => {
      asked += (keys as readonly string[]).length
      return first.promise
    },
  }
  const outbox = createOutbox({}, { ...bench, database, eventLog: bench.eventLog })
  for (let n = 0; n < 10_100; n += 1) outbox.publish([{ topic, key: `k${n}`, id: `${n}`, tenant: '', json: '{}' }])
  await until('a claim is under way', () => asked > 0)
  first.resolve({ rows: [], rowCount: 0 })
  await outbox.stop()
  assert.ok(asked >= 10_000 && asked <= 10_001, `${asked}`)
})

test('a process without a log leaves its rows to the relay, which hears of them by NOTIFY', async (t) => {
  const bench = await createWorkbench(t)
  const relayed = Promise.withResolvers<void>()
  const relay = createRelay({
    outbox: {
      ...bench.outbox,
      relay: async () => {
        const rows = await bench.outbox.relay()
        if (rows > 0) relayed.resolve()
        return rows
      },
    } satisfies Outbox,
    database: bench.database,
    clock: { ...bench.clock, after: () => ({ cancel: () => undefined }) }, // no tick: only the notification wakes it
  })
  atEnd(t, () => relay.stop())
  await relay.start(AbortSignal.timeout(5_000))
  const { transaction } = await emitter(bench, { log: undefined })
  await emitOne(transaction, 'a', '1')
  await relayed.promise
  await assertOutboxEqualsLog(bench)
})

test('stop() publishes what was committed before it; of what a log that hangs has not got, the relay may take all at once', async (t) => {
  const bench = await createWorkbench(t)
  const quick = await emitter(bench)
  for (let n = 0; n < 20; n += 1) await emitOne(quick.transaction, `k${n}`, 'c')
  await quick.outbox.stop()
  await assertOutboxEqualsLog(bench)

  const got: string[] = []
  const hanging: EventLog = {
    ...bench.eventLog,
    append: (records) => {
      got.push(...records.map(({ key }) => String(key)))
      return new Promise(() => undefined)
    },
  }
  const database = await bench.connect()
  const outbox = createOutbox({ stopTimeoutMs: 50 }, { ...bench, database, eventLog: hanging })
  const { transaction } = createTransactional(contractOf('transaction'), { ...bench, database, outbox })
  for (let n = 0; n < 150; n += 1) await emitOne(transaction, `h${n}`, 'c')
  assert.equal(await Promise.race([outbox.stop(), sleep(5_000, 'too late', { ref: false })]), undefined)
  while ((await bench.outbox.relay()) > 0);
  const leased = await bench.rows<{ key: string }>('SELECT key FROM sluice.outbox_key WHERE sent + 1 < next')
  assert.deepEqual(leased.map(({ key }) => key).toSorted(), got.toSorted())
})

test('a transaction that rolls back emits nothing and leaves no hole in the sequence', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction } = await emitter(bench)
  await emitOne(transaction, 'a', '1')
  await assert.rejects(
    transaction(
      async ({ emit }) => {
        emit(toolCallFinished, finished('2', 'a'), { key: 'a' })
        throw new Error('no')
      },
      { tenant: 'acme' },
    ),
  )
  await emitOne(transaction, 'a', '3')
  await allSent(bench)
  assert.equal((await assertOutboxEqualsLog(bench)).length, 2)
})

test('one process publishes all it emitted, however many keys that are', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction } = await emitter(bench)
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
  await transaction(
    async ({ emit }) => {
      for (const key of keys) emit(toolCallFinished, finished('c', key), { key })
    },
    { tenant: 'acme' },
  )
  await allSent(bench) // no relay is at work
  await assertOutboxEqualsLog(bench)
})
