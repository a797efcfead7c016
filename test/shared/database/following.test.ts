import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { sqlState } from '../../../shared/errors/index.ts'
import type { Database, DatabaseOptions, Transaction } from '../../../shared/database/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { hop } from './hop.ts'
import { openDatabase } from './open-database.ts'

interface Opened {
  readonly database: Database
  /** What the client sent since the last call, one entry for each time it sent something. */
  readonly taken: () => readonly Buffer[]
  /** Called with each answer before the client gets it. */
  onAnswer: (bytes: Buffer, client: Socket) => void
}

/** A database of one connection, with a table, behind a hop that listens. */
async function open(t: TestContext, options: Partial<DatabaseOptions> = {}): Promise<Opened> {
  const { url } = await createTestDatabase(t, { migrated: false })
  const opened = { onAnswer: (bytes: Buffer, client: Socket): void => void client.write(bytes) }
  let sent: Buffer[] = []
  const through = await hop(t, url, {
    onSent: (bytes) => void sent.push(bytes),
    onAnswer: (bytes, client) => opened.onAnswer(bytes, client),
  })
  const database = await openDatabase(t, through, { poolSize: 1, ...options })
  await database.query('CREATE TABLE item (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)')
  await database.query('CREATE UNIQUE INDEX item_at_once ON item (abs(n))')
  const taken = (): readonly Buffer[] => {
    const all = sent
    sent = []
    return all
  }
  return Object.assign(opened, { database, taken })
}

const insert = { name: 'test.insert', text: 'INSERT INTO item VALUES ($1)' }
const one = { name: 'test.one', text: 'SELECT $1::int AS n' }

/** Reads, as a claim does, then writes what travels with COMMIT. */
const put =
  (n: number) =>
  async (tx: Transaction): Promise<number> => {
    const { rows } = await tx.query<{ n: number }>(one, [n])
    tx.query(insert, [n]).catch(() => undefined)
    return rows[0]?.n ?? Number.NaN
  }

const items = async (database: Database): Promise<readonly number[]> =>
  (await database.query<{ n: number }>('SELECT n FROM item ORDER BY n')).rows.map(({ n }) => n)

const follow = { mayFollow: true }
const state =
  (expected: string) =>
  (error: unknown): boolean =>
    sqlState(error) === expected
const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof Error && 'code' in error && error.code === expected

test('a transaction that may follow begins together with the COMMIT of the one before', async (t) => {
  const { database, taken } = await open(t)
  await Promise.all([1, 2, 3].map((n) => database.transaction(put(n), follow))) // all is prepared
  taken()
  const waits = [4, 5, 6].map((n) => database.transaction(put(n), follow))
  assert.deepEqual(await Promise.all(waits), [4, 5, 6])
  assert.equal(
    taken().length,
    4,
    'begin and read, three times write, COMMIT and begin and read, at the end without the latter',
  )
  assert.deepEqual(await items(database), [1, 2, 3, 4, 5, 6])
})

test('a transaction that may not follow waits for the answer, and nobody overtakes it', async (t) => {
  const { database, taken } = await open(t)
  await Promise.all([1, 2, 3].map((n) => database.transaction(put(n), follow)))
  taken()
  const order: number[] = []
  const waits = [4, 5, 6].map(async (n) => {
    await database.transaction(put(n), { mayFollow: n !== 5 })
    order.push(n)
  })
  await Promise.all(waits)
  assert.equal(taken().length, 5, 'only the last one followed')
  assert.deepEqual(order, [4, 5, 6])
})

test('whoever follows a COMMIT that the server skipped begins again, and notices nothing', async (t) => {
  const { database } = await open(t)
  await database.query(insert, [1])
  const begun: string[] = []
  const first = database.transaction(async (tx) => {
    await tx.query(one, [0])
    tx.query(insert, [-1]).catch(() => undefined) // refused at once, and so COMMIT behind it is not looked at
  }, follow)
  const second = database.transaction(async (tx) => {
    begun.push('second')
    return put(2)(tx)
  }, follow)
  const third = database.transaction(put(3), follow)
  await assert.rejects(first, state('23505'))
  assert.equal(await second, 2)
  assert.equal(await third, 3)
  assert.deepEqual(begun, ['second', 'second'])
  assert.deepEqual(await items(database), [1, 2, 3])
})

test('whoever follows a COMMIT that the server refused is not concerned', async (t) => {
  const { database } = await open(t)
  await database.query(insert, [1])
  await database.query('DROP INDEX item_at_once')
  let begun = 0
  const first = database.transaction(put(1), follow) // the constraint is asked at COMMIT
  const second = database.transaction(async (tx) => {
    begun += 1
    for (const n of [2, 3, 4]) await tx.query(insert, [n]) // still open when the first one has failed
    return put(5)(tx)
  }, follow)
  await assert.rejects(first, state('23505'))
  assert.equal(await second, 5)
  assert.equal(begun, 1)
  assert.deepEqual(await items(database), [1, 2, 3, 4, 5])
})

test('a follower that fails takes nothing from the one before, nor from the next', async (t) => {
  const { database } = await open(t)
  const failed = new Error('no')
  const [first, second, third] = await Promise.allSettled([
    database.transaction(put(1), follow),
    database.transaction(async (tx) => {
      await put(2)(tx)
      throw failed
    }, follow),
    database.transaction(put(3), follow),
  ])
  assert.deepEqual(first, { status: 'fulfilled', value: 1 })
  assert.deepEqual(second, { status: 'rejected', reason: failed })
  assert.deepEqual(third, { status: 'fulfilled', value: 3 })
  assert.deepEqual(await items(database), [1, 3])
})

test('a connection that breaks at COMMIT is lost for both, and what is next gets another', async (t) => {
  const opened = await open(t)
  const { database } = opened
  await database.transaction(put(1), follow)
  const pass = opened.onAnswer
  opened.onAnswer = (bytes, client) => {
    if (!bytes.includes('COMMIT\0')) return pass(bytes, client)
    opened.onAnswer = pass
    client.resetAndDestroy()
  }
  const [first, second, third] = await Promise.allSettled([2, 3, 4].map((n) => database.transaction(put(n), follow)))
  assert.ok(first?.status === 'rejected' && code('database_unavailable')(first.reason))
  assert.ok(second?.status === 'rejected' && code('database_unavailable')(second.reason))
  assert.deepEqual(third, { status: 'fulfilled', value: 4 })
  assert.deepEqual(await items(database), [1, 2, 4], 'the first was committed, whoever heard of it')
})

test('whoever cannot begin again, since the connection breaks as it rolls back, has lost the database', async (t) => {
  const opened = await open(t)
  const { database } = opened
  await database.query(insert, [1])
  const pass = opened.onAnswer
  opened.onAnswer = (bytes, client) => {
    if (bytes.includes('ROLLBACK')) client.resetAndDestroy()
    else pass(bytes, client)
  }
  const first = database.transaction(async (tx) => {
    await tx.query(one, [0])
    tx.query(insert, [-1]).catch(() => undefined)
  }, follow)
  const second = database.transaction(put(2), follow)
  await assert.rejects(first, state('23505'))
  await assert.rejects(second, code('database_unavailable'))
  assert.deepEqual(await items(database), [1])
})

test('a session that the server ended before BEGIN is no doing of the follower', async (t) => {
  const opened = await open(t, { idleInTransactionTimeoutMs: 300 })
  const { database } = opened
  await database.transaction(put(1), follow)
  const dawdling = Promise.withResolvers<void>()
  const pass = opened.onAnswer
  const held: [Buffer, Socket][] = []
  opened.onAnswer = (bytes, client) => {
    if (!bytes.includes('25P03')) return pass(bytes, client)
    held.push([bytes, client]) // the client hears of it only when it has sent COMMIT
    dawdling.resolve()
  }
  const first = database.transaction(async (tx) => {
    await tx.query(one, [2])
    await dawdling.promise
    setImmediate(() => held.forEach(([bytes, client]) => client.write(bytes)))
  }, follow)
  const second = database.transaction(put(3), follow)
  await assert.rejects(first, code('deadline_exceeded'))
  await assert.rejects(second, code('database_unavailable'))
})

test('a wait that took too long leaves the line, and is nobody that follows', async (t) => {
  const { database } = await open(t, { connectTimeoutMs: 200 })
  await database.query(insert, [1])
  const release = Promise.withResolvers<void>()
  const holding = database.transaction(async (tx) => {
    await tx.query(one, [1])
    await release.promise
    tx.query(insert, [-1]).catch(() => undefined) // refused, so that somebody has to roll back
  })
  await assert.rejects(database.transaction(put(2), follow), code('database_unavailable'))
  const third = database.query<{ n: number }>(one, [3])
  const fourth = database.transaction(put(4), follow)
  release.resolve()
  await assert.rejects(holding, state('23505'))
  assert.equal((await third).rows[0]?.n, 3)
  assert.equal(await fourth, 4)
  assert.deepEqual(await items(database), [1, 4])
})

test('stop waits for whoever is still in the line', async (t) => {
  const { database } = await open(t)
  const waits = [1, 2, 3, 4].map((n) => database.transaction(put(n), follow))
  await database.stop()
  assert.deepEqual(await Promise.all(waits), [1, 2, 3, 4])
})

test('stop cuts also whoever is still in the line when its time is over', async (t) => {
  const { database } = await open(t, { stopTimeoutMs: 100 })
  const waits = [follow, follow, {}].map((options) =>
    database.transaction((tx) => tx.query('SELECT pg_sleep(1)'), options),
  )
  const all = Promise.all(waits.map((wait) => assert.rejects(wait, code('database_unavailable'))))
  await database.stop()
  await all
})

test(
  'over a few connections, what is reported as committed is in the table, and nothing else',
  { timeout: 60_000 },
  async (t) => {
    const { database } = await open(t, { poolSize: 3 })
    const kinds = ['good', 'throws', 'skipped', 'swallows', 'plain'] as const
    const runs = Array.from({ length: 400 }, (_, index) => ({ n: index + 10, kind: kinds[(index * 7) % 5] ?? 'good' }))
    await database.query(insert, [1])
    const ended = await Promise.allSettled(
      runs.map(({ n, kind }) =>
        database.transaction(
          async (tx) => {
            await put(n)(tx)
            if (kind === 'throws') throw new Error('no')
            if (kind === 'skipped') tx.query(insert, [-1]).catch(() => undefined)
            if (kind === 'swallows') await tx.query('SELECT 1 / $1::int', [0]).catch(() => undefined)
          },
          { mayFollow: kind !== 'plain' },
        ),
      ),
    )
    const committed = runs.filter((_, index) => ended[index]?.status === 'fulfilled')
    assert.deepEqual(
      committed.map(({ n }) => n),
      runs.filter(({ kind }) => kind === 'good' || kind === 'plain').map(({ n }) => n),
    )
    assert.deepEqual(await items(database), [1, ...committed.map(({ n }) => n)])
  },
)
