import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { classifyError, SluiceError, sqlState } from '../../../shared/errors/index.ts'
import type { Database, Transaction } from '../../../shared/database/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase } from './open-database.ts'

async function open(t: TestContext): Promise<Database> {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url)
  await database.query(
    'CREATE TABLE item (id int PRIMARY KEY, parent int REFERENCES item DEFERRABLE INITIALLY DEFERRED)',
  )
  return database
}

const ids = async (database: Database): Promise<number[]> =>
  (await database.query<{ id: number }>('SELECT id FROM item ORDER BY id')).rows.map(({ id }) => id)

const insert = 'INSERT INTO item (id) VALUES ($1)'
const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected
const state =
  (expected: string) =>
  (error: unknown): boolean =>
    sqlState(error) === expected

test('work that returns is committed, and its result is given back', async (t) => {
  const database = await open(t)
  const result = await database.transaction(async (tx) => {
    await tx.query(insert, [1])
    assert.deepEqual(await ids(database), [], 'nobody sees it yet')
    return 'done'
  })
  assert.equal(result, 'done')
  assert.deepEqual(await ids(database), [1])
})

test('work that throws is rolled back, and its error is rethrown as it is', async (t) => {
  const database = await open(t)
  const reason = new Error('no')
  const failing = database.transaction(async (tx) => {
    await tx.query(insert, [1])
    throw reason
  })
  await assert.rejects(failing, (error) => error === reason)
  assert.deepEqual(await ids(database), [])
})

test('the error of a statement keeps its SQLSTATE', async (t) => {
  const database = await open(t)
  await database.query(insert, [1])
  await assert.rejects(database.query(insert, [1]), state('23505'))
  await assert.rejects(
    database.transaction((tx) => tx.query(insert, [1])),
    state('23505'),
  )
  assert.deepEqual(await ids(database), [1])
})

test('a transaction whose statement failed and whose work went on is an error, never a success', async (t) => {
  const database = await open(t)
  const swallowing = database.transaction(async (tx) => {
    await tx.query(insert, [1])
    await tx.query(insert, [1]).catch(() => undefined)
  })
  await assert.rejects(swallowing, code('handler_failed'))
  assert.deepEqual(await ids(database), [])
})

test('a COMMIT that the server refuses is an error', async (t) => {
  const database = await open(t)
  const orphan = database.transaction((tx) => tx.query('INSERT INTO item (id, parent) VALUES (1, 2)'))
  await assert.rejects(orphan, state('23503'))
  assert.deepEqual(await ids(database), [])
})

test('a savepoint undoes its own statements only, and the transaction goes on', async (t) => {
  const database = await open(t)
  const reason = new Error('inner')
  await database.transaction(async (tx) => {
    await tx.query(insert, [1])
    const undone = tx.savepoint(async () => {
      await tx.query(insert, [2])
      throw reason
    })
    await assert.rejects(undone, (error) => error === reason)
    await assert.rejects(
      tx.savepoint(() => tx.query(insert, [1])),
      state('23505'),
    )
    await tx.savepoint(async () => {
      await tx.query(insert, [3])
      await assert.rejects(
        tx.savepoint(() => tx.query(insert, [3])),
        state('23505'),
      )
      await tx.query(insert, [4])
    })
    await tx.query(insert, [5])
  })
  assert.deepEqual(await ids(database), [1, 3, 4, 5])
})

test('a savepoint whose work swallowed the error of a statement is an error, and undone', async (t) => {
  const database = await open(t)
  await database.transaction(async (tx) => {
    const swallowing = tx.savepoint(async () => {
      await tx.query(insert, [1])
      await tx.query(insert, [1]).catch(() => undefined)
    })
    await assert.rejects(swallowing, state('25P02'))
    await tx.query(insert, [2])
  })
  assert.deepEqual(await ids(database), [2])
})

test('statements started together run in call order; what follows a failed one fails too', async (t) => {
  const database = await open(t)
  await database.transaction(async (tx) => {
    const answers = await Promise.all([
      tx.query(insert, [1]),
      tx.query('SELECT id FROM item'),
      tx.query(insert, [2]),
      tx.query('SELECT count(*) AS n FROM item'),
    ])
    assert.deepEqual(
      answers.map(({ rowCount }) => rowCount),
      [1, 1, 1, 1],
    )
    assert.deepEqual(answers[3].rows, [{ n: 2 }])
  })
  const failing = database.transaction((tx) =>
    Promise.all([tx.query(insert, [3]), tx.query(insert, [1]), tx.query(insert, [4])]),
  )
  await assert.rejects(failing, state('23505'))
  assert.deepEqual(await ids(database), [1, 2])
})

test('the options of a transaction hold for it alone', async (t) => {
  const database = await open(t)
  const show =
    "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement, current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS readonly"
  const inside = await database.transaction((tx) => tx.query(show), {
    lockTimeoutMs: 123,
    statementTimeoutMs: 4_567,
    isolation: 'serializable',
    readOnly: true,
  })
  assert.deepEqual(inside.rows, [{ lock: '123ms', statement: '4567ms', isolation: 'serializable', readonly: 'on' }])
  for (let connection = 0; connection < 4; connection += 1) {
    assert.deepEqual((await database.query(show)).rows, [
      { lock: '2s', statement: '10s', isolation: 'read committed', readonly: 'off' },
    ])
  }
})

test('waiting for a lock ends at the lock timeout, and the connection is of use afterwards', async (t) => {
  const database = await open(t)
  await database.query(insert, [1])
  await database.transaction(async (tx) => {
    await tx.query('SELECT FROM item WHERE id = 1 FOR UPDATE')
    const waiting = database.transaction((other) => other.query('SELECT FROM item WHERE id = 1 FOR UPDATE'), {
      lockTimeoutMs: 50,
    })
    await assert.rejects(waiting, state('55P03'))
  })
  assert.deepEqual(await ids(database), [1])
})

test('a transaction left idle too long is ended by the server, counts as slow work and not as a lost database', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { idleInTransactionTimeoutMs: 100 })
  const idle = database.transaction(async (tx) => {
    await tx.query('SELECT 1')
    await database.query('SELECT pg_sleep(0.4)')
    await tx.query('SELECT 1')
  })
  const error = await idle.catch((reason: unknown) => reason)
  assert.ok(code('deadline_exceeded')(error), String(error))
  assert.equal(classifyError(error).kind, 'retry')
  assert.equal((await database.query('SELECT 1 AS one')).rowCount, 1)
})

test('a value that cannot be sent fails its statement and leaves the connection of use', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 1 })
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  await assert.rejects(database.query('SELECT $1::json', [circular]), TypeError)
  assert.deepEqual((await database.query("SELECT $1::text AS text, '[1]'::jsonb AS json", ['x'])).rows, [
    { text: 'x', json: [1] },
  ])
})

test('a statement that is not awaited travels with COMMIT; when it fails, nothing is stored and its error is the answer', async (t) => {
  const database = await open(t)
  const last = (tx: Transaction, id: number): void => void tx.query(insert, [id]).catch(() => undefined)
  await database.transaction(async (tx) => last(tx, 1))
  assert.deepEqual(await ids(database), [1])
  const failing = database.transaction(async (tx) => {
    await tx.query(insert, [2])
    last(tx, 1)
  })
  await assert.rejects(failing, state('23505'))
  assert.deepEqual(await ids(database), [1])
})

test('of statements that were not awaited the first that failed is the reason, however it travelled', async (t) => {
  const database = await open(t)
  for (let n = 0; n < 20; n += 1) {
    const failing = database.transaction(async (tx) => {
      tx.query('SELECT 1 / 0').catch(() => undefined)
      for (const m of [1, 2]) tx.query('SELECT $1::int', [m]).catch(() => undefined)
    })
    await assert.rejects(failing, state('22012'))
  }
})

test('a statement that cannot be sent never has COMMIT behind it', async (t) => {
  const database = await open(t)
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const unsendable = database.transaction(async (tx) => {
    await tx.query(insert, [1])
    tx.query('SELECT $1::json', [circular]).catch(() => undefined)
  })
  await assert.rejects(unsendable, TypeError)
  assert.deepEqual(await ids(database), [])
})

test('a prepared statement whose answer a migration changed is prepared anew on another connection', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 1 })
  const statement = { name: 'answer', text: 'SELECT * FROM answer()' }
  await database.query("CREATE FUNCTION answer() RETURNS text LANGUAGE sql AS $$ SELECT 'old' $$")
  for (let time = 0; time < 2; time += 1) assert.deepEqual((await database.query(statement)).rows, [{ answer: 'old' }])
  await database.query('DROP FUNCTION answer(); CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS $$ SELECT 7 $$')
  await assert.rejects(database.query(statement), code('database_unavailable'))
  assert.deepEqual((await database.query(statement)).rows, [{ answer: 7 }])
})

test('an answer that cannot be read and was not awaited does not make a failure of what was committed', async (t) => {
  const database = await open(t)
  const result = await database.transaction(async (tx) => {
    await tx.query(insert, [1])
    void tx.query('SELECT 9007199254740993::int8')
    return 'done'
  })
  assert.equal(result, 'done')
  assert.deepEqual(await ids(database), [1])
})

test('a transaction that is over sends nothing, least of all into the next one on its connection', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { poolSize: 1 })
  await database.query('CREATE TABLE item (id int)')
  const kept = await database.transaction(async (tx) => tx)
  await database.transaction(async (tx) => {
    await tx.query(insert, [1])
    await assert.rejects(kept.query(insert, [2]), code('aborted'))
    await assert.rejects(
      kept.savepoint(() => kept.query(insert, [3])),
      code('aborted'),
    )
  })
  assert.deepEqual(await ids(database), [1])
})

test('when BEGIN fails nothing is executed, whatever was asked for before its answer, and it is no success', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const observer = await openDatabase(t, url, { poolSize: 1 })
  await observer.query('CREATE TABLE item (id int)')
  const sent: ((tx: Transaction) => unknown)[] = [
    (tx) => tx.query('INSERT INTO item VALUES (1)'),
    (tx) => tx.query(insert, [2]),
    (tx) => tx.savepoint(() => tx.query('INSERT INTO item VALUES (3)')),
    (tx) => Promise.all([tx.query(insert, [4]), tx.query('INSERT INTO item VALUES (5)'), tx.query(insert, [6])]),
    async (tx) => {
      await new Promise(process.nextTick) // BEGIN has left
      await tx.query(insert, [7])
    },
    async (tx) => {
      void tx.query(insert, [8]).catch(() => undefined)
      await new Promise(process.nextTick)
    },
    (tx) => void tx.query('INSERT INTO item VALUES (9)').catch(() => undefined),
    (tx) => void tx.savepoint(() => tx.query('INSERT INTO item VALUES (10)')).catch(() => undefined),
    async () => new Promise(process.nextTick),
    async (tx) => {
      tx.query('INSERT INTO item VALUES (11)').catch(() => undefined)
      throw new Error('no')
    },
  ]
  for (const send of sent) {
    const database = await openDatabase(t, url, { poolSize: 1 })
    for (const [breakage, expected] of [
      ['SELECT 1', code('database_unavailable')],
      ['PREPARE "sluice.begin" AS SELECT 1 / 0', state('22012')],
    ] as const) {
      await database.transaction((tx) => tx.query('SELECT 1'))
      await database.query(`DEALLOCATE "sluice.begin"; ${breakage}`)
      await assert.rejects(
        database.transaction(async (tx) => send(tx)),
        expected,
      )
    }
  }
  assert.deepEqual(await ids(observer), [])
})

test('what waits for BEGIN is executed in call order, before COMMIT', async (t) => {
  const database = await open(t)
  const last = await database.transaction(async (tx) => {
    void tx.query('INSERT INTO item VALUES (1); INSERT INTO item VALUES (2)')
    void tx.query('DELETE FROM item WHERE id = $1', [1])
    const counted = tx.query('SELECT count(*) AS n FROM item')
    void tx.query(insert, [3])
    return (await counted).rows
  })
  assert.deepEqual(last, [{ n: 1 }])
  await database.transaction(async (tx) => void tx.query('INSERT INTO item VALUES (4)'))
  assert.deepEqual(await ids(database), [2, 3, 4])
})
