import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect } from './history.ts'
import { recoveryTimes } from './recovery.ts'

const run = (id: string, pid: number, at: number) => ({ actor: 'counter', id, attempt: 1, pid, at })
const effect = (id: string, pid: number): Effect => ({
  actor: 'counter',
  id,
  origin: id,
  key: 'k',
  amount: 1,
  version: 1,
  pid,
  emitted: null,
})

test('the time from a kill to the next run of what it interrupted, and of nothing else', () => {
  const runs = [
    run('done before', 1, 900),
    run('interrupted', 1, 950),
    run('interrupted', 2, 4_000),
    run('interrupted', 2, 9_000),
    run('of another process', 3, 950),
    run('of another process', 3, 20_000),
    run('failed long before', 1, -9_000),
    run('failed long before', 2, 30_000),
  ]
  const effects = [effect('done before', 1), effect('interrupted', 2), effect('of another process', 3)]
  assert.deepEqual(recoveryTimes([{ name: 'counter-1', pid: 1, at: 1_000 }], { runs, effects }), [3_000])
})

test('a lane driver that dies in between begins the time anew', () => {
  const runs = [run('interrupted', 1, 950), run('interrupted', 2, 31_000)]
  const kills = [
    { name: 'banker-1', pid: 1, at: 1_000 },
    { name: 'outbox-sync', pid: 5, at: 16_000 },
    { name: 'outbox-sync', pid: 6, at: 40_000 },
  ]
  assert.deepEqual(recoveryTimes(kills, { runs, effects: [] }), [15_000])
})
