// F13: connections break in bulk, or die without a word. A dead socket is noticed, although nothing comes over it.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../case.ts'
import type { FaultyServer } from '../world/servers.ts'
import type { World } from '../world/world.ts'

const stormMs = { smoke: 4_000, full: 30_000 }
const resetEveryMs = 300
const noticedWithinMs = 15_000
const afterwardsMs = 3_000
/** Less than any time-out of a call to a server. */
const longestAnswerMs = 5_000

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
    title: 'the connections that are open become a black hole: after 15 s nobody waits for one of them',
    repeats: 20,
    run: async ({ world, proven, note, atEnd }) => {
      const shared = await world()
      const servers = serversOf(shared)
      shared.traffic.start()
      await sleep(1_000)
      const before = servers.map(({ proxy }) => proxy.counts.swallowed)
      const begun = performance.now()
      for (const { proxy } of servers) proxy.blackHole()
      atEnd(() => servers.forEach(({ proxy }) => proxy.mend()))
      const held = servers.map(({ proxy, name }) => `${proxy.held()} to ${name}`)
      await sleep(noticedWithinMs)
      const noticed = performance.now()
      await sleep(afterwardsMs)
      for (const [at, { proxy, name }] of servers.entries())
        assert.ok(proxy.counts.swallowed > (before[at] ?? 0), `nothing was swallowed of ${name}`)
      proven(`a black hole for connections: ${held.join(', ')}`)
      const first = shared.traffic.answers(begun).find(({ status }) => status === 202)
      assert.ok(first !== undefined, 'no message was taken')
      note(`the first message was taken ${((first.at + first.ms - begun) / 1_000).toFixed(1)} s later`)
      const later = shared.traffic.answers(noticed)
      assert.ok(later.length > 0, 'nothing was answered afterwards')
      assert.deepEqual([...new Set(later.map(({ status }) => status))], [202])
      const slowest = Math.max(...later.map(({ ms }) => ms))
      assert.ok(slowest < longestAnswerMs, `somebody waited ${slowest.toFixed(0)} ms for a dead connection`)
      note(`${later.length} taken after ${noticedWithinMs / 1_000} s, the slowest in ${slowest.toFixed(0)} ms`)
    },
  },
]
