// F8: Redis holds only what may vanish. Its death, its emptiness and its absence stop no event.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../case.ts'

export const redisCases: readonly FaultCase[] = [
  {
    id: 'F8',
    title: 'Redis dies and comes back empty: messages are taken and turns go on',
    run: async ({ world, proven, note, atEnd }) => {
      const { redis, traffic } = await world()
      traffic.start()
      const begun = performance.now()
      proven(await redis.crash())
      let back = false
      atEnd(async () => {
        if (!back) await redis.start()
      })
      await sleep(3_000)
      const answers = traffic.answers(begun)
      assert.ok(answers.length > 0)
      assert.deepEqual(
        answers.filter(({ status }) => status !== 202),
        [],
      )
      note(`${answers.length} messages taken without it`)
      proven(await redis.start())
      back = true
    },
  },
]
