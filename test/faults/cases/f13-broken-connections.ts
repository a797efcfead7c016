// F13: connections break in bulk, or die without a word. A dead socket is noticed, although nothing comes over it.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'
import type { FaultyServer } from '../world/servers.ts'
import type { World } from '../world/world.ts'

const stormMs = { smoke: 4_000, full: 30_000 }
const resetEveryMs = 300
/** 15 s, and some room for a busy machine. */
const noticedWithinMs = 18_000

const serversOf = ({ postgres, redis, kafka }: World): readonly FaultyServer[] =>
  [postgres, redis, kafka].filter((server) => server !== undefined)

export const brokenConnectionCases: readonly FaultCase[] = [
  {
    id: 'F13',
    title: 'a storm of resets on every connection to every server',
    repeats: 20,
    run: async ({ world, proven, note, full }) => {
      const shared = await world()
      const servers = serversOf(shared)
      const before = servers.map(({ proxy }) => proxy.counts.resets)
      shared.traffic.start()
      const begun = performance.now()
      while (performance.now() - begun < stormMs[full ? 'full' : 'smoke']) {
        for (const { proxy } of servers) proxy.reset()
        await sleep(resetEveryMs)
      }
      const resets = servers.map(({ proxy, name }, at) => `${name} ${proxy.counts.resets - (before[at] ?? 0)}`)
      for (const [at, { proxy }] of servers.entries()) assert.ok(proxy.counts.resets > (before[at] ?? 0))
      proven(`resets: ${resets.join(', ')}`)
      const answers = shared.traffic.answers(begun)
      note(`${answers.filter(({ status }) => status === 202).length} of ${answers.length} taken in the storm`)
    },
  },
  {
    id: 'F13',
    title: 'the connections that are open become a black hole: noticed within 15 s',
    repeats: 20,
    run: async ({ world, proven, note, atEnd }) => {
      const shared = await world()
      const servers = serversOf(shared)
      shared.traffic.start()
      await sleep(500)
      const before = servers.map(({ proxy }) => proxy.counts.swallowed)
      const begun = performance.now()
      for (const { proxy } of servers) proxy.blackHole()
      atEnd(() => servers.forEach(({ proxy }) => proxy.mend()))
      const held = servers.map(({ proxy, name }) => `${proxy.held()} of ${name}`)
      await Promise.all(
        servers.map(async ({ proxy, name }) => {
          await until(`the dead connections to ${name} are given up`, () => proxy.held() === 0, {
            limitMs: noticedWithinMs,
            everyMs: 50,
          }).catch((error: unknown) => assert.fail(`${proxy.held()} left; ${String(error)}`))
          note(`${name} noticed in ${((performance.now() - begun) / 1_000).toFixed(1)} s`)
        }),
      )
      for (const [at, { proxy, name }] of servers.entries())
        assert.ok(proxy.counts.swallowed > (before[at] ?? 0), `nothing was swallowed of ${name}`)
      proven(`black hole with ${held.join(', ')} connections`)
      await until('messages are taken', () => shared.traffic.answers(begun).at(-1)?.status === 202)
    },
  },
]
