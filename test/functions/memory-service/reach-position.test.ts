import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachPosition } from '../../../functions/memory-service/reach-position.ts'
import { createManualClock } from '../../support/index.ts'

function waitFor(waitMs: number, signal = new AbortController().signal) {
  const clock = createManualClock()
  let looks = 0
  let replicated = 0
  const database = {
    query: async () => {
      looks += 1
      return { rows: [{ written: 1, replicated }] as never[], rowCount: 1 }
    },
  }
  const position = { key: 'k', sequence: 1 }
  const done = reachPosition({ tenant: 't', position, waitMs, signal }, { clock, database })
  done.catch(() => undefined)
  return { clock, done, looks: () => looks, apply: () => (replicated = 1) }
}

test('it looks soon at first, then less often, and once more when the time is up', async () => {
  const wait = waitFor(1_000)
  const seen: number[] = []
  for (let at = 0; at <= 1_000; at += 10) {
    await wait.clock.advance(at === 0 ? 0 : 10)
    if (wait.looks() > seen.length) seen.push(at)
  }
  await assert.rejects(wait.done, { code: 'replica_behind' })
  assert.deepEqual(seen, [0, 10, 30, 70, 150, 310, 560, 810, 1_000])
})

test('it ends as soon as a look finds the write', async () => {
  const wait = waitFor(10_000)
  await wait.clock.advance(30)
  wait.apply()
  await wait.clock.advance(40)
  await wait.done
})

test('it ends early when its signal says so', async () => {
  const draining = new AbortController()
  const wait = waitFor(10_000, draining.signal)
  await wait.clock.advance(5)
  draining.abort()
  await assert.rejects(wait.done, { code: 'draining' })
})
