// Replays of kinds of failure: the canary, the rate, the stop, and the ledger.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { replayDeadLetters, type ReplayStep } from '../../../../shared/delivery/index.ts'
import { createPoisoned, driveLanes, operator, otherwise } from './poisoned.ts'

const never = new AbortController().signal
const quickly = { operator, perSecond: 1_000, patienceMs: 10_000 }

test('what was cured is replayed, canary first, and each event has its effect once', async (t) => {
  const ids = ['e1', 'e2', 'e3', 'e4']
  const bench = await createPoisoned(t, ids)
  for (const id of ids) await bench.send({ id, key: id })
  bench.poison.clear()
  driveLanes(t, bench)
  const steps: ReplayStep[] = []

  const report = await replayDeadLetters(
    { ...quickly, filter: { function: 'tested' }, onStep: (step) => steps.push(step) },
    bench,
    never,
  )

  assert.deepEqual(
    steps.map(({ step }) => step),
    ['canary', 'canary-done', 'moved', 'moved', 'moved'],
  )
  assert.deepEqual(report.outcome, { done: 4, waiting: 0, dead: 0 })
  assert.deepEqual(
    report.kinds.map(({ replayed, left, refused }) => [replayed, left, refused.length]),
    [[4, 0, 0]],
  )
  assert.deepEqual((await bench.effects()).toSorted(), ids)
  assert.deepEqual(await bench.rows('SELECT DISTINCT state FROM sluice.dead_letter'), [{ state: 'replayed' }])
})

test('a canary that fails as before stops its kind, and the others stay where they were', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2', 'e3'])
  for (const id of ['e1', 'e2', 'e3']) await bench.send({ id, key: id })
  driveLanes(t, bench)

  const { kinds } = await replayDeadLetters({ ...quickly, filter: {} }, bench, never)

  assert.deepEqual(
    kinds.map(({ replayed, left, stopped }) => [replayed, left, stopped?.reason]),
    [[1, 2, 'fingerprint_returned']],
  )
  assert.deepEqual(await bench.effects(), [])
  const states = await bench.rows(
    'SELECT state, count(*)::int AS n FROM sluice.dead_letter GROUP BY state ORDER BY state',
  )
  // the canary's first death, its second one, and the two that were left
  assert.deepEqual(states, [
    { state: 'dead', n: 3 },
    { state: 'replayed', n: 1 },
  ])
})

test('the old failure in a later event stops the rest', async (t) => {
  const ids = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6']
  const bench = await createPoisoned(t, ids)
  for (const id of ids) await bench.send({ id, key: id })
  bench.poison.delete('e1')
  driveLanes(t, bench)

  const slowly = { ...quickly, perSecond: 5 } // each is decided long before the next is moved
  const { kinds } = await replayDeadLetters({ ...slowly, filter: {} }, bench, never)

  const [kind] = kinds
  assert.equal(kind?.stopped?.reason, 'fingerprint_returned')
  assert.equal(kind.replayed, 2)
  assert.equal(kind.left, 4)
})

test('a canary that fails in another way stops its kind, and other kinds go on', async (t) => {
  const bench = await createPoisoned(t, ['a1', 'a2'])
  bench.poison.set('b1', otherwise)
  for (const id of ['a1', 'a2', 'b1']) await bench.send({ id, key: id })
  bench.poison.clear()
  bench.poison.set('a1', otherwise)
  driveLanes(t, bench)

  const { kinds } = await replayDeadLetters({ ...quickly, filter: {} }, bench, never)

  assert.deepEqual(
    kinds.map(({ replayed, left, stopped }) => [replayed, left, stopped?.reason]),
    [
      [1, 1, 'canary_failed'],
      [1, 0, undefined],
    ],
  )
})

test('nothing is replayed twice: the ledger says so, and there is no second effect', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1' })
  const id = await bench.letterOf('e1')
  bench.poison.clear()
  driveLanes(t, bench)
  await replayDeadLetters({ ...quickly, filter: { ids: [id] } }, bench, never)

  const again = await replayDeadLetters({ ...quickly, filter: { ids: [id] } }, bench, never)

  assert.deepEqual(
    again.kinds.map(({ replayed }) => replayed),
    [0],
  )
  assert.deepEqual(
    again.kinds[0]?.refused.map(({ reason }) => reason),
    ['already_replayed'],
  )
  assert.deepEqual(await bench.effects(), ['e1'])
  assert.equal((await bench.rows('SELECT FROM sluice.replay')).length, 1)
})

test('two replays at once move each event once', async (t) => {
  const ids = Array.from({ length: 20 }, (_, n) => `e${n}`)
  const bench = await createPoisoned(t, ids)
  for (const id of ids) await bench.send({ id, key: `k${id.at(-1)}` })
  bench.poison.clear()
  driveLanes(t, bench)

  const reports = await Promise.all(
    [1, 2, 3].map(() => replayDeadLetters({ ...quickly, filter: { function: 'tested' } }, bench, never)),
  )

  const moved = reports.flatMap(({ kinds }) => kinds).reduce((sum, { replayed }) => sum + replayed, 0)
  assert.equal(moved, ids.length)
  assert.deepEqual((await bench.effects()).toSorted(), ids.toSorted())
})

test('a canary that is not decided in time stops its kind; a cancelled run leaves the rest', async (t) => {
  const bench = await createPoisoned(t, ['e1', 'e2'])
  for (const id of ['e1', 'e2']) await bench.send({ id, key: id })

  const undecided = await replayDeadLetters({ ...quickly, patienceMs: 1, filter: {} }, bench, never)
  assert.deepEqual(
    undecided.kinds.map(({ left, stopped }) => [left, stopped?.reason]),
    [[1, 'canary_undecided']],
  )
  assert.deepEqual(undecided.outcome, { done: 0, waiting: 1, dead: 0 })

  const cancelled = await replayDeadLetters({ ...quickly, filter: {} }, bench, AbortSignal.abort())
  assert.deepEqual(
    cancelled.kinds.map(({ left, stopped }) => [left, stopped?.reason]),
    [[1, 'cancelled']],
  )
})

test('ids that do not exist, or are of another tenant, are not found', async (t) => {
  const bench = await createPoisoned(t, ['e1'])
  await bench.send({ id: 'e1', tenant: 'acme' })
  const id = await bench.letterOf('e1')
  const other = { ...quickly, operator: { ...operator, tenant: 'other' } }

  const report = await replayDeadLetters({ ...other, filter: { ids: [id, randomUUID()] } }, bench, never)

  assert.deepEqual(
    report.kinds.flatMap(({ refused }) => refused.map(({ reason }) => reason)),
    ['not_found', 'not_found'],
  )
  assert.deepEqual(await bench.rows('SELECT FROM sluice.replay'), [])
})
