// F22: every process of every function is asked to end, while its other one serves and messages come: nothing is lost, and no process
// answers 5xx, or breaks a connection, that it was given while it said ready.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../../shared/database/index.ts'
import type { FaultCase } from '../case.ts'
import { until } from '../../support/until.ts'
import { startRollingWorld, type RollingWorld } from '../rolling/rolling-world.ts'
import { openTurns } from '../world/traffic.ts'

/** Messages a second that are wanted. What the machine gives is printed. */
const perSecond = { smoke: 10, full: 200 }
/** More would only wait in line, and on a slow machine for longer than a process has to end. */
const mostOpen = 24
const rounds = { smoke: 1, full: 5 }

export const rollingCases: readonly FaultCase[] = [
  {
    id: 'F22',
    title: 'every process is restarted in turn under load: nothing is lost and nobody who said ready refuses',
    apart: true,
    repeats: 4,
    limitMs: 600_000,
    run: async ({ proven, note, atEnd, full }) => {
      const wanted = perSecond[full ? 'full' : 'smoke']
      const load = { sessions: wanted, everyMs: 1_000, mostOpen }
      const world = await startRollingWorld({ name: 'rolling', traffic: load }, atEnd)
      const { traffic, routers, database } = world
      const [eventsBefore, begun] = [await eventsSoFar(database), performance.now()]
      traffic.start()
      const endings: string[] = []
      // As when a new version is installed: all functions at once, each one process after the other.
      const firsts = world.names.filter((name) => !name.endsWith('-2'))
      for (let round = 0; round < rounds[full ? 'full' : 'smoke']; round += 1) {
        for (const group of [firsts, world.names.filter((name) => !firsts.includes(name))])
          endings.push(...(await Promise.all(group.map(async (name) => `${name} ${await world.roll(name)}`))))
      }
      await traffic.pause()
      const seconds = (performance.now() - begun) / 1_000
      const events = (await eventsSoFar(database)) - eventsBefore
      const rate = (count: number): string => (count / seconds).toFixed(0)
      note(
        `${rate(traffic.accepted())} of ${wanted} messages and ${rate(events)} events a second for ${seconds.toFixed(0)} s`,
      )
      assert.deepEqual(
        endings.filter((ending) => !ending.endsWith(' code 0')),
        [],
        'every process ends with 0',
      )
      proven(`${endings.length} processes ended by SIGTERM, each with code 0`)
      assert.deepEqual(
        routers.flatMap(({ faults }) => faults),
        [],
      )
      const answers = routers.reduce((sum, { answered }) => sum + answered(), 0)
      note(`${answers} answers of processes that had said ready, none of them 5xx`)
      note(`longest drain ${longestDrain(world.logFolder, world.names)} s`)
      await workedOff(world)
      note(await traffic.judged())
    },
  },
]

/** On a slow machine messages come faster than turns end. */
async function workedOff({ database }: RollingWorld): Promise<void> {
  const limit = { limitMs: 240_000, everyMs: 250 }
  await until('every turn has ended', async () => (await openTurns(database)) === 0, limit)
}

/** Events that functions have emitted. */
async function eventsSoFar(database: Database): Promise<number> {
  const { rows } = await database.query<{ events: number }>(
    'SELECT coalesce(sum(next - 1), 0)::bigint AS events FROM sluice.outbox_key',
  )
  return rows[0]?.events ?? 0
}

function longestDrain(folder: string, names: readonly string[]): number {
  const seconds = names.flatMap((name) =>
    readFileSync(join(folder, `${name}.log`), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"message":"shutdown complete"'))
      .map((line) => (JSON.parse(line) as { readonly seconds: number }).seconds),
  )
  return Math.round(Math.max(...seconds) * 100) / 100
}
