// F22: every process of every function is asked to end, while its other one serves and messages come: nothing is lost, and no process
// answers 5xx, or breaks a connection, that it was given while it said ready.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultCase } from '../case.ts'
import { until } from '../../support/until.ts'
import { startRollingWorld, type RollingWorld } from '../rolling/rolling-world.ts'

export const rollingCases: readonly FaultCase[] = [
  {
    id: 'F22',
    title: 'every process is restarted in turn under load: nothing is lost and nobody who said ready refuses',
    limitMs: 600_000,
    run: async ({ proven, note, atEnd, full }) => {
      const world = await startRollingWorld({ name: 'rolling' }, atEnd)
      const { traffic, routers } = world
      traffic.start()
      const endings: string[] = []
      // As when a new version is installed: all functions at once, each one process after the other.
      const firsts = world.names.filter((name) => !name.endsWith('-2'))
      for (let round = 0; round < (full ? 5 : 1); round += 1) {
        for (const group of [firsts, world.names.filter((name) => !firsts.includes(name))])
          endings.push(...(await Promise.all(group.map(async (name) => `${name} ${await world.roll(name)}`))))
      }
      await traffic.pause()
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
  const openTurns = `SELECT count(*)::integer AS open FROM agent.turn WHERE state NOT IN ('completed', 'failed')`
  await until(
    'every turn has ended',
    async () => (await database.query<{ open: number }>(openTurns)).rows[0]?.open === 0,
    { limitMs: 240_000, everyMs: 250 },
  )
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
