// F6: Postgres dies. Until it is back every request is refused at once and nothing is promised; then all goes on by itself.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../shared/database/index.ts'
import { processState } from '../../support/process-state.ts'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'
import type { Answer } from '../world/traffic.ts'
import type { World } from '../world/world.ts'

const downMs = 5_000
const refusedWithinMs = 1_000
const backWithinMs = 10_000

export const postgresCases: readonly FaultCase[] = [
  {
    id: 'F6',
    title: 'Postgres stops at once: 503 with Retry-After within a second, and back within ten',
    repeats: 10,
    run: async ({ world, proven, note, atEnd }) => {
      const { postgres, traffic, database } = await world()
      const listening = await listeners(database)
      assert.ok(listening > 0, 'nobody listens')
      const pids = await processIds(world)
      let back = false
      traffic.start()
      await sleep(1_000)
      proven(await postgres.crash())
      atEnd(async () => back || (await postgres.start()))
      const gone = performance.now()
      await sleep(downMs)
      const refused = traffic.answers(gone)
      back = true
      proven(await postgres.start())
      const came = performance.now()
      assertRefused(refused)
      note(`${refused.length} refused, the slowest after ${Math.max(...refused.map(({ ms }) => ms)).toFixed(0)} ms`)

      const limit = { limitMs: backWithinMs, everyMs: 50 }
      await until('a message is taken', () => traffic.answers(came).some(({ status }) => status === 202), limit)
      note(`taken again after ${(performance.now() - came).toFixed(0)} ms`)
      const left = { limitMs: Math.max(100, backWithinMs - (performance.now() - came)), everyMs: 100 }
      await until('all listen again', async () => (await listeners(database)) >= listening, left)
      note(`${listening} listen again after ${(performance.now() - came).toFixed(0)} ms`)
      assert.deepEqual(await processIds(world), pids, 'no process was restarted')
    },
  },
  {
    id: 'F6',
    title: 'one backend of Postgres is killed, and takes all connections with it',
    repeats: 10,
    run: async ({ world, proven, note }) => {
      const { traffic, database } = await world()
      const pids = await processIds(world)
      traffic.start()
      await sleep(1_000)
      const backend = `SELECT pid FROM pg_stat_activity WHERE application_name = 'gateway' LIMIT 1`
      const victim = (await database.query<{ pid: number }>(backend)).rows[0]?.pid ?? 0
      const begun = performance.now()
      process.kill(victim, 'SIGKILL')
      await until(`backend ${victim} is gone`, () => processState(victim) === '')
      proven(`backend ${victim} is gone`)
      const limit = { limitMs: backWithinMs, everyMs: 50 }
      await sleep(500) // an answer of before does not count
      const since = performance.now()
      await until('a message is taken', () => traffic.answers(since).some(({ status }) => status === 202), limit)
      note(`taken again after ${(performance.now() - begun).toFixed(0)} ms`)
      assert.deepEqual(await processIds(world), pids, 'no process was restarted')
    },
  },
]

function assertRefused(answers: readonly Answer[]): void {
  assert.ok(answers.length > 0, 'nothing was asked while it was down')
  for (const { status, ms, retryAfter, code } of answers) {
    assert.equal(status, 503, code)
    assert.match(retryAfter ?? '', /^\d+$/)
    assert.ok(ms < refusedWithinMs, `a refusal took ${ms.toFixed(0)} ms`)
  }
}

/** Connections that LISTEN: their name says so. */
async function listeners(database: Database): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name LIKE '% listener'`,
  )
  return rows[0]?.count ?? 0
}

async function processIds(world: () => Promise<World>): Promise<readonly (number | undefined)[]> {
  return (await world()).processes.map((one) => one.pid())
}
