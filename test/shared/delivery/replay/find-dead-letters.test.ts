// Lists, plans and single dead letters, as operators read them.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  discardDeadLetters,
  listDeadLetters,
  planReplay,
  readDeadLetter,
  type DeadLetterFilter,
} from '../../../../shared/delivery/index.ts'
import { createPoisoned, operator, otherwise } from './poisoned.ts'

const byText = (a: string | null, b: string | null): number => String(a).localeCompare(String(b))

test('pages go from the newest to the oldest, without gaps and repeats', async (t) => {
  const ids = ['e1', 'e2', 'e3', 'e4', 'e5']
  const bench = await createPoisoned(t, ids)
  for (const id of ids) await bench.send({ id, key: id })
  // several at one moment
  await bench.database.query(`UPDATE sluice.dead_letter SET at = '2026-01-01' WHERE id IN ('e2', 'e3', 'e4')`)

  const seen: (string | null)[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 10; pages += 1) {
    const page = await listDeadLetters(bench.database, {}, { limit: 2, cursor })
    assert.ok(page.dead_letters.length <= 2)
    seen.push(...page.dead_letters.map(({ id }) => id))
    if (page.next_cursor === null) break
    cursor = page.next_cursor
  }

  assert.deepEqual(seen.toSorted(byText), ids)
  assert.deepEqual(seen.slice(0, 2), ['e5', 'e1'])
  await assert.rejects(listDeadLetters(bench.database, {}, { limit: 2, cursor: 'x' }), { code: 'invalid_parameter' })
})

test('each filter narrows the list', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2'])
  bench.poison.set('e2', otherwise)
  await bench.send({ id: 'e1', tenant: 'acme' })
  await bench.send({ id: 'e2', tenant: 'other', key: 'k2' })
  const [print] = await bench.rows<{ fingerprint: string }>(
    `SELECT fingerprint FROM sluice.dead_letter WHERE id = 'e1'`,
  )
  const both = ['e1', 'e2']
  const cases: readonly (readonly [DeadLetterFilter, readonly string[]])[] = [
    [{}, both],
    [{ function: 'tested' }, both],
    [{ function: 'another' }, []],
    [{ type: 'tool.call.requested.v1' }, both],
    [{ type: 'tool.call.finished.v1' }, []],
    [{ tenant: 'other' }, ['e2']],
    [{ fingerprint: print?.fingerprint }, ['e1']],
    [{ since: '2020-01-01T00:00:00Z' }, both],
    [{ until: '2020-01-01T00:00:00Z' }, []],
    [{ since: '0016-10-01T11:30:49-23:45' }, both],
    [{ since: '0000-01-01T00:00:00Z' }, both],
    [{ until: '9999-12-31T23:59:59-23:59' }, both],
    [{ since: '2016-12-31T23:59:60Z' }, both],
    [{ state: 'dead' }, both],
    [{ state: 'replayed' }, []],
    [{ ids: [await bench.letterOf('e2')] }, ['e2']],
  ]
  for (const [filter, expected] of cases) {
    const { dead_letters } = await listDeadLetters(bench.database, filter, { limit: 10 })
    assert.deepEqual(dead_letters.map(({ id }) => id).toSorted(byText), expected, JSON.stringify(filter))
  }
})

test('one dead letter shows the bytes as received, the cause, the journal and the ledger', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1' })
  const id = await bench.letterOf('e1')
  await bench.database.query(
    `INSERT INTO sluice.step (function, source, id, name, effect, state) VALUES ('tested', '/test', 'e1', 'pay', 'once', 'done')`,
  )
  assert.deepEqual((await readDeadLetter(bench.database, { id })).steps, [
    { name: 'pay', effect: 'once', state: 'done' },
  ])
  await discardDeadLetters({ filter: { ids: [id] }, operator }, bench.database)

  const letter = await readDeadLetter(bench.database, { id })

  assert.deepEqual(JSON.parse(letter.raw.toString()), (letter.event as { data: unknown }).data)
  assert.deepEqual([letter.cause, letter.attempts, letter.topic, letter.offset], ['rejected', 1, 'tool.requests', 7])
  assert.match(letter.trace ?? '', /^00-[0-9a-f]{32}-/)
  assert.deepEqual(letter.steps, [], 'the journal goes when nothing will take up after it')
  assert.equal(letter.ledger?.action, 'discarded')
  assert.equal(letter.origin, 'delivery')
  await assert.rejects(readDeadLetter(bench.database, { id, tenant: 'other' }), { code: 'not_found' })
  await assert.rejects(readDeadLetter(bench.database, { id: randomUUID() }), { code: 'not_found' })
  await assert.rejects(readDeadLetter(bench.database, { id: "'; DROP TABLE x" }), { code: 'not_found' })
})

test('a plan groups by function and fingerprint, and says what a replay would do', async (t) => {
  const bench = await createPoisoned(t, ['a1', 'a2', 'a3'])
  bench.poison.set('b1', otherwise)
  for (const id of ['a1', 'a2', 'b1']) await bench.send({ id, key: id })
  await bench.send({ id: 'a3', key: 'a1' })
  await bench.database.query(`UPDATE sluice.inbox SET state = 'done' WHERE id = 'a2'`)

  const { groups, more } = await planReplay(bench.database, {})

  assert.equal(more, false)
  assert.deepEqual(
    groups.map(({ cause, count, keys, replayable, refused }) => ({ cause, count, keys, replayable, refused })),
    [
      { cause: 'rejected', count: 3, keys: 2, replayable: 2, refused: { already_done: 1 } },
      { cause: 'tool_disabled', count: 1, keys: 1, replayable: 1, refused: {} },
    ],
  )
  assert.equal(groups[0]?.sample.dead_letter_id, await bench.letterOf('a1'))
  assert.ok((groups[0]?.oldest ?? '') < (groups[0]?.newest ?? ''))
})

test('discarding takes what the filter means, and says what it could not', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2'])
  for (const id of ['e1', 'e2']) await bench.send({ id, key: id })
  const unknown = randomUUID()

  const some = await discardDeadLetters(
    { filter: { ids: [await bench.letterOf('e1'), unknown] }, operator },
    bench.database,
  )
  const rest = await discardDeadLetters({ filter: {}, operator }, bench.database)

  assert.equal(some.discarded, 1)
  assert.deepEqual(
    some.refused.map(({ dead_letter_id, reason }) => [dead_letter_id, reason]),
    [[unknown, 'not_found']],
  )
  assert.equal(rest.discarded, 1)
})
