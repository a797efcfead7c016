// F18: memory-service answers badly. It is a comfort: turns go on without it, it is left alone while it is broken, and what there
// was to remember arrives in the end.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'
import { passAll, type BadAnswer, type HopRequest } from '../world/http-hop.ts'
import { startTicks } from '../world/ticks.ts'
import { endOf, sendCrowd, statesOf } from '../world/turns.ts'

const outageMs = { smoke: 8_000, full: 30_000 }
/** Of the breaker of recalls. */
const resetMs = 5_000
const opensWithinMs = 3_000
const closesWithinMs = resetMs + 5_000
const retryAfterSeconds = 3
const refusals = 4

export const badMemoryServiceCases: readonly FaultCase[] = [
  {
    id: 'F18',
    title: 'memory-service answers 503 to all: it is looked at once in 5 s, turns go on, and it is used again at once',
    limitMs: 120_000,
    run: async ({ world, proven, note, atEnd, full }) => {
      const shared = await world()
      const { memory, traffic } = shared
      const asked = memory.play(() => ({ status: 503 }))
      atEnd(() => memory.play(passAll))
      const turns = await sendCrowd(shared)
      traffic.start()
      const first = await until('it is asked', () => recallsOf(asked)[0])
      await sleep(outageMs[full ? 'full' : 'smoke'])
      const lastsMs = performance.now() - first.at - opensWithinMs
      const late = recallsOf(asked).filter(({ at }) => at > first.at + opensWithinMs)
      const mostLate = Math.floor(lastsMs / resetMs) + 1
      assert.ok(late.length <= mostLate, `${late.length} recalls while the breaker is open; at most ${mostLate}`)
      proven(`${asked.length} requests answered 503`)
      note(`${late.length} recalls in the last ${(lastsMs / 1_000).toFixed(0)} s of the outage`)
      note(await endOf(shared, turns))
      assert.deepEqual([...new Set(await statesOf(shared, turns))], ['completed'])

      const again = memory.play(passAll)
      const healed = performance.now()
      await until('memories are recalled again', () => recallsOf(again).length > 0, { limitMs: closesWithinMs })
      note(`used again after ${(performance.now() - healed).toFixed(0)} ms`)
    },
  },
  {
    id: 'F18',
    title: 'memory-service answers 429 with Retry-After: no memory is sent again before',
    fullOnly: true,
    run: async ({ world, proven, atEnd }) => {
      const shared = await world()
      const { memory, urls } = shared
      const headers = { 'retry-after': String(retryAfterSeconds) }
      let left = refusals
      const asked = memory.play(({ path }) => {
        if (!isWrite(path) || left === 0) return undefined
        left -= 1
        return { status: 429, headers }
      })
      atEnd(() => memory.play(passAll))
      atEnd(startTicks(`${urls.get('memory-sync') ?? ''}/`))
      await endOf(shared, await sendCrowd(shared, refusals))
      const refused = await until('all were refused', () => {
        const found = asked.filter(({ met }) => met !== undefined)
        return found.length === refusals && found
      })
      proven(`${refused.length} requests answered 429`)
      for (const { key, at, number } of refused) {
        const next = await until(
          'it is sent again',
          () => asked.find((one) => one.key === key && one.number > number),
          {
            limitMs: 30_000,
          },
        )
        assert.ok(next.at - at >= retryAfterSeconds * 1_000, `sent again after ${(next.at - at).toFixed(0)} ms`)
      }
    },
  },
  {
    id: 'F18',
    title: 'memory-service drops the first three requests, then those of Fibonacci: every memory arrives in the end',
    fullOnly: true,
    limitMs: 120_000,
    run: async ({ world, proven, atEnd }) => {
      const { memory, traffic } = await world()
      let dropped = 0
      const asked = memory.play(({ number }) => {
        if (number > firstDropped && !isFibonacci(number)) return undefined
        dropped += 1
        return drops[dropped % drops.length]
      })
      atEnd(() => memory.play(passAll))
      traffic.start()
      const met = (drop: BadAnswer): boolean => asked.some((request) => request.met === drop)
      await until('it was dropped in every way', () => drops.every(met), { limitMs: 90_000 })
      proven(`${asked.filter((request) => request.met !== undefined).length} of ${asked.length} requests dropped`)
    },
  },
]

const isWrite = (path: string): boolean => path === '/v1/memory/remember'

const recallsOf = (asked: readonly HopRequest[]): readonly HopRequest[] =>
  asked.filter(({ path }) => path === '/v1/memory/recall')

const firstDropped = 3
const drops: readonly BadAnswer[] = [
  { status: 500 },
  'silence',
  'reset',
  { body: '<html>please log in</html>' },
  { status: 503, headers: { 'retry-after': '1' } },
  { body: '{"memories": [' },
  { delayMs: 1_500 },
]

function isFibonacci(number: number): boolean {
  let [a, b] = [1, 2]
  while (b < number) [a, b] = [b, a + b]
  return number === a || number === b
}
