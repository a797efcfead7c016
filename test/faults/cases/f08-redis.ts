// F8: Redis holds only what may vanish. Its death, its emptiness and its absence stop no event.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { Fault, FaultCase } from '../case.ts'
import type { World } from '../world/world.ts'

const awayMs = { smoke: 4_000, full: 60_000 }

export const redisCases: readonly FaultCase[] = [
  {
    id: 'F8',
    title: 'Redis dies and comes back empty: messages are taken, turns end, functions stay ready',
    repeats: 10,
    run: async (fault) => {
      const { redis } = await fault.world()
      fault.proven(await redis.crash())
      fault.atEnd(async () => fault.proven(await redis.start()))
      await goesOn(fault, 3_000)
    },
  },
  {
    id: 'F8',
    title: 'Redis is emptied',
    repeats: 10,
    run: async (fault) => {
      const { redis } = await fault.world()
      const { traffic } = await fault.world()
      traffic.start()
      await sleep(500)
      fault.proven(`FLUSHALL: ${await ask(redis.direct, 'FLUSHALL')}`)
      await goesOn(fault, 1_500)
    },
  },
  {
    id: 'F8',
    title: 'Redis cannot be reached for a while',
    limitMs: 150_000,
    run: async (fault) => {
      const { redis } = await fault.world()
      const before = redis.proxy.counts.refused
      redis.proxy.refuse()
      fault.atEnd(() => redis.proxy.mend())
      await goesOn(fault, awayMs[fault.full ? 'full' : 'smoke'])
      const refused = redis.proxy.counts.refused - before
      assert.ok(refused > 0)
      fault.proven(`${refused} connections refused`)
    },
  },
]

/** Messages are taken and their turns end while the fault lasts, and no process calls itself unready. */
async function goesOn({ world, note }: Fault, ms: number): Promise<void> {
  const { traffic, database, processes } = await world()
  const begun = performance.now()
  const since = (await database.query<{ now: string }>('SELECT clock_timestamp()::text AS now')).rows[0]?.now ?? ''
  traffic.start()
  await sleep(ms)
  const answers = traffic.answers(begun)
  assert.ok(answers.length > 0)
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202])
  const ended = await until('a turn of this time ends', () => endedTurns(database, since), { limitMs: 30_000 })
  for (const { spec } of processes) {
    const ready = await fetch(spec.readyUrl)
    assert.equal(ready.status, 200, `${spec.name}: ${await ready.text()}`)
  }
  note(`${answers.length} messages taken and ${ended} turns ended meanwhile`)
}

async function endedTurns(database: World['database'], since: string): Promise<number | undefined> {
  const { rows } = await database.query<{ ended: number }>(
    `SELECT count(*)::int AS ended FROM agent.turn WHERE state = 'completed' AND accepted_at > $1`,
    [since],
  )
  return rows[0]?.ended === 0 ? undefined : rows[0]?.ended
}

async function ask(url: string, command: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`${command}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString().trim()
}
