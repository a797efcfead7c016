// The schedule: the same seed repeats it, another gives another, and the counts are those of the size.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planSends } from '../workload/plan-sends.ts'
import { faultCounts, planFaults, type FaultKind } from './plan-faults.ts'

test('one seed repeats exactly, another differs', () => {
  const plan = (seed: number) => ({
    faults: planFaults({ events: 1_000, seed, log: 'kafka' }),
    sends: planSends({ events: 1_000, seed }),
  })
  assert.deepEqual(plan(7), plan(7))
  assert.notDeepEqual(plan(7).faults, plan(8).faults)
  assert.notDeepEqual(plan(7).sends, plan(8).sends)
})

test('the smoke run has 8 kills, the full run 50 kills, 10 broker bounces, 15 kills of Postgres and 200 dropped COMMITs', () => {
  for (const [events, kills, bounces, postgres, commits] of [
    [5_000, 8, 1, 1, 20],
    [100_000, 50, 10, 15, 200],
  ] as const) {
    const { arms, timed } = planFaults({ events, seed: 1, log: 'kafka' })
    const ofKind = (kind: FaultKind): number => timed.filter((fault) => fault.kind === kind).length
    assert.equal([...arms.values()].flat().length, kills)
    assert.equal(ofKind('bounce the broker'), bounces)
    assert.equal(ofKind('kill Postgres at once'), postgres)
    assert.equal(ofKind('drop the answer to a COMMIT'), commits)
    assert.equal(ofKind('pause a process past its lease'), faultCounts(events).pauses)
  }
})

test('the full run kills processes at every point of the plan', () => {
  const { arms } = planFaults({ events: 100_000, seed: 1, log: 'kafka' })
  const points = new Set([...arms.values()].flat().map((arm) => arm.replace(/=.*/, '')))
  for (const point of ['delivery.received', 'delivery.claimed', 'delivery.before-commit', 'delivery.after-commit'])
    assert.ok(points.has(point), point)
  for (const point of ['outbox.after-commit', 'outbox.after-publish', 'lane.after-claim', 'step.after-run'])
    assert.ok(points.has(point), point)
})

test('a workload has a hot key, repeats, conflicts, poison and what no log takes', () => {
  const sends = planSends({ events: 5_000, seed: 1 })
  const share = (is: (send: (typeof sends)[number]) => boolean): number => sends.filter(is).length / 5_000
  assert.ok(Math.abs(share(({ key, kind }) => key === 'hot' && kind === 'first') - 0.2) < 0.03)
  assert.ok(Math.abs(share(({ kind }) => kind === 'repeat') - 0.05) < 0.02)
  assert.ok(Math.abs(share(({ conduct }) => conduct === 'reject' || conduct === 'exhaust') - 0.005) < 0.004)
  assert.ok(share(({ kind }) => kind === 'conflict') > 0)
  assert.ok(share(({ oversized }) => oversized) > 0)
})
