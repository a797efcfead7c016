import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sqlState } from '../../../shared/errors/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { hop } from './hop.ts'
import { openDatabase } from './open-database.ts'

/** A database of one connection. */
async function open(t: TestContext, through = async (url: string): Promise<string> => url): Promise<Database> {
  const { url } = await createTestDatabase(t, { migrated: false })
  return openDatabase(t, await through(url), { poolSize: 1 })
}

const readyForQuery = 'Z'.charCodeAt(0)

/** How often the server says that it is ready for more: once for each Sync, and for each message of the simple protocol. */
function readiesIn(bytes: Buffer): number {
  let readies = 0
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    if (bytes[at] === readyForQuery) readies += 1
  }
  return readies
}

/** How often the server describes rows, or says that there are none. */
function descriptionsIn(bytes: Buffer): number {
  let descriptions = 0
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    if (bytes[at] === 'T'.charCodeAt(0) || bytes[at] === 'n'.charCodeAt(0)) descriptions += 1
  }
  return descriptions
}

const double = { name: 'test.double', text: 'SELECT $1::int * 2 AS n' }
const state =
  (expected: string) =>
  (error: unknown): boolean =>
    sqlState(error) === expected

test('statements that begin in one turn of the event loop are answered together', async (t) => {
  let answers = 0
  const database = await open(t, (url) =>
    hop(t, url, {
      onAnswer: (bytes, client) => {
        answers += readiesIn(bytes)
        client.write(bytes)
      },
    }),
  )
  const before = answers
  const rows = await database.transaction(async (tx) => {
    const doubled = await Promise.all([1, 2, 3].map((n) => tx.query<{ n: number }>(double, [n])))
    assert.equal(answers - before, 1, 'BEGIN and the three')
    void tx.query(double, [4])
    return doubled.map(({ rows: [row] }) => row?.n)
  })
  assert.deepEqual(rows, [2, 4, 6])
  assert.equal(answers - before, 2, 'the fourth and COMMIT')
})

test('what a prepared statement answers is described once over a connection', async (t) => {
  let descriptions = 0
  const database = await open(t, (url) =>
    hop(t, url, {
      onAnswer: (bytes, client) => {
        descriptions += descriptionsIn(bytes)
        client.write(bytes)
      },
    }),
  )
  await database.query('CREATE TABLE seen (big bigint, list int[], note text)')
  const insert = { name: 'test.insert', text: 'INSERT INTO seen VALUES ($1, $2, $3)' }
  const read = { name: 'test.read', text: 'SELECT big, list, note FROM seen WHERE big > $1 ORDER BY big' }
  const counts: number[] = []
  for (const n of [1, 2, 3]) {
    const before = descriptions
    const seen = await database.transaction(async (tx) => {
      const inserted = tx.query(insert, [n, [n, n], null])
      const [some, none, failed] = await Promise.all([
        tx.query(read, [0]),
        tx.query(read, [99]),
        tx.savepoint(async () => tx.query(double, [2_147_483_647])).catch((error: unknown) => sqlState(error)),
      ])
      return [(await inserted).rowCount, some.rows, none.rows, failed]
    })
    const rows = [1, 2, 3].slice(0, n).map((big) => ({ big, list: [big, big], note: null }))
    assert.deepEqual(seen, [1, rows, [], '22003'])
    counts.push(descriptions - before)
  }
  assert.ok((counts[0] ?? 0) > 3, 'BEGIN, both and what failed')
  assert.deepEqual(counts.slice(1), [0, 0])
})

test('what answers with other columns each time is described each time', async (t) => {
  const database = await open(t)
  const fetch = { name: 'test.fetch', text: 'FETCH ALL FROM seen' }
  for (const [sql, row] of [
    ['SELECT 1 AS n', { n: 1 }],
    [`SELECT 'x' AS text, '[2]'::jsonb AS list`, { text: 'x', list: [2] }],
    [`SELECT 'y' AS text`, { text: 'y' }],
  ] as const) {
    const { rows } = await database.transaction(async (tx) => {
      await tx.query(`DECLARE seen CURSOR FOR ${sql}`)
      return tx.query(fetch)
    })
    assert.deepEqual(rows, [row])
  }
})

test('what a group with a failed statement was to prepare is prepared when it is used next', async (t) => {
  const database = await open(t)
  await assert.rejects(
    database.transaction(async (tx) => {
      const failed = tx.query('SELECT 1 / $1::int', [0])
      const behind = tx.query(double, [1])
      await assert.rejects(failed, state('22012'))
      await assert.rejects(behind, state('25P02'))
      await failed
    }),
    state('22012'),
  )
  const { rows } = await database.query(double, [21])
  assert.deepEqual(rows, [{ n: 42 }], 'on the same connection: it has only one')
})

test('what is being prepared by a group that fails is not missed by the next one', async (t) => {
  const database = await open(t)
  await database.transaction(async (tx) => {
    await tx.query('SAVEPOINT here')
    const ended = Promise.allSettled([tx.query('SELECT 1 / $1::int', [0]), tx.query(double, [1])])
    await new Promise(process.nextTick) // they have left
    await assert.rejects(tx.query(double, [2]), state('25P02'))
    const states = (await ended).map((one) => one.status === 'rejected' && sqlState(one.reason))
    assert.deepEqual(states, ['22012', '25P02'])
    await tx.query('ROLLBACK TO SAVEPOINT here')
    const doubled = await Promise.all([tx.query(double, [3]), tx.query(double, [4])])
    assert.deepEqual(
      doubled.map(({ rows }) => rows),
      [[{ n: 6 }], [{ n: 8 }]],
    )
  })
})

test('an answer that cannot be read fails its own statement of a group', async (t) => {
  const database = await open(t)
  await database.transaction(async (tx) => {
    const [before, unreadable, after] = await Promise.allSettled([
      tx.query(double, [1]),
      tx.query('SELECT 9007199254740993 + $1::int8 AS n', [0]),
      tx.query(double, [2]),
    ])
    assert.equal(before.status, 'fulfilled')
    assert.equal(after.status, 'fulfilled')
    assert.match(String(unreadable.status === 'rejected' && unreadable.reason), /beyond what a JavaScript number holds/)
  })
})

test('a text of several statements keeps its place between grouped ones', async (t) => {
  const database = await open(t)
  const rows = await database.transaction(async (tx) => {
    void tx.query('CREATE TEMPORARY TABLE seen (n int); INSERT INTO seen VALUES (1)')
    void tx.query('INSERT INTO seen VALUES ($1)', [2])
    void tx.query('UPDATE seen SET n = n * 10; DELETE FROM seen WHERE n = 10')
    return (await tx.query('SELECT n, $1::text AS text FROM seen', ['x'])).rows
  })
  assert.deepEqual(rows, [{ n: 20, text: 'x' }])
})

test('a lone statement that fails when its transaction ends, after its own answer, has failed', async (t) => {
  const database = await open(t)
  await database.query('CREATE TABLE only_once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  const insert = (n: number): Promise<unknown> => database.query('INSERT INTO only_once VALUES ($1)', [n])
  await insert(1)
  await assert.rejects(insert(1), state('23505'))
})

test('a second text for the name of a prepared statement is refused, not taken for the first', async (t) => {
  const database = await open(t)
  const triple = { ...double, text: 'SELECT $1::int * 3 AS n' }
  await database.query(double, [1])
  await assert.rejects(database.query(triple, [1]), state('42P05'))
  const inOneGroup = database.transaction((tx) =>
    Promise.all([tx.query({ ...double, name: 'test.new' }, [1]), tx.query({ ...triple, name: 'test.new' }, [1])]),
  )
  await assert.rejects(inOneGroup, state('42P05'))
  const { rows } = await database.query(double, [21])
  assert.deepEqual(rows, [{ n: 42 }])
})

test('a lone statement whose connection breaks between its answer and the end of its transaction is no success', async (t) => {
  let cuts = false
  const database = await open(t, (url) =>
    hop(t, url, {
      onAnswer: (bytes, client) => {
        const ready = cuts ? bytes.length - 6 : bytes.length // a ReadyForQuery has six bytes, and is the last of an answer
        client.write(bytes.subarray(0, ready))
        if (cuts) setImmediate(() => client.destroy())
      },
    }),
  )
  await database.query(double, [1])
  cuts = true
  await assert.rejects(database.query(double, [2]), { code: 'database_unavailable' })
  cuts = false
  assert.deepEqual((await database.query(double, [3])).rows, [{ n: 6 }])
})

test('the values of a statement are those that they were when it was called', async (t) => {
  const database = await open(t)
  const sent = await database.transaction((tx) => {
    const list = ['a']
    const values = [1, list]
    const answers = [1, 2].map((n) => {
      values[0] = n
      list[0] = `of ${n}`
      return tx.query('SELECT $1::int AS n, $2::text[] AS list', values)
    })
    return Promise.all(answers)
  })
  assert.deepEqual(
    sent.flatMap(({ rows }) => rows),
    [
      { n: 1, list: ['of 1'] },
      { n: 2, list: ['of 2'] },
    ],
  )
})
