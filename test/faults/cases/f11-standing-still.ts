// F11: a server stands still: it neither answers nor closes. Calls to it end by their time-outs, the event loop turns, and health
// answers at once.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { processState } from '../../support/process-state.ts'
import { until } from '../../support/until.ts'
import type { Fault, FaultCase } from '../case.ts'
import { longestLag } from '../world/event-loop.ts'
import type { FaultyServer } from '../world/servers.ts'
import type { World } from '../world/world.ts'

/** In the smoke run, longer than it takes to give up: Redis 2 s a command, Kafka 10 s a request, Postgres two questions. */
const stillMs = {
  smoke: { postgres: 12_000, redis: 5_000, kafka: 12_000 },
  full: { postgres: 25_000, redis: 25_000, kafka: 25_000 },
}
/** Longest answer: that of a statement whose server is gone, and some room for a busy machine. */
const longestAnswerMs = 17_000
const longestLagMs = 1_000
/** Less than any time-out of a call to Postgres. */
const refusedWithinMs = 2_500

export const standingStillCases: readonly FaultCase[] = (['postgres', 'redis', 'kafka'] as const).map((which) => ({
  id: 'F11',
  title: `${which} stands still: time-outs instead of hangs`,
  repeats: 5,
  limitMs: 90_000,
  ...(which === 'kafka' ? { needs: 'kafka' as const } : {}),
  run: async (fault) => {
    const world = await fault.world()
    const server = world[which]
    assert.ok(server !== undefined)
    await standStill(fault, world, { server, ms: stillMs[fault.full ? 'full' : 'smoke'][which] })
  },
}))

interface Standing {
  readonly server: FaultyServer
  readonly ms: number
}

async function standStill({ proven, note, atEnd }: Fault, world: World, { server, ms }: Standing): Promise<void> {
  const { traffic, processes } = world
  traffic.start()
  await sleep(500)
  await longestLag(processes) // the measure begins anew
  const { proof, wake } = await server.freeze()
  const begun = performance.now()
  atEnd(wake)
  await sleep(ms)
  if (server === world.postgres) note(`then refused within ${(await refusedSoon(world)).toFixed(0)} ms`)
  for (const { spec } of processes) {
    for (const path of ['/live', '/ready', '/health']) {
      const answer = await fetch(spec.readyUrl.replace('/ready', path), { signal: AbortSignal.timeout(1_000) })
      await answer.arrayBuffer()
      if (path === '/live') assert.equal(answer.status, 200, `${spec.name} is not alive`)
    }
  }
  assert.equal(processState(server.pid()), 'T', 'it stood still to the end')
  proven(`${proof} for ${((performance.now() - begun) / 1_000).toFixed(0)} s`)
  const lag = await longestLag(processes)
  assert.ok(lag.ms < longestLagMs, `the event loop of ${lag.name} lagged ${lag.ms.toFixed(0)} ms`)
  wake()
  await until('messages are taken', () => traffic.answers(begun).at(-1)?.status === 202, { limitMs: 20_000 })
  const answers = traffic.answers(begun)
  const slowest = Math.max(...answers.map(({ ms }) => ms))
  assert.ok(slowest < longestAnswerMs, `an answer took ${slowest.toFixed(0)} ms`)
  for (const { status, retryAfter } of answers) {
    assert.ok(status === 202 || status === 503 || status === 504 || status === 409, `${status}`)
    if (status === 503) assert.match(retryAfter ?? '', /^\d+$/)
  }
  const refused = answers.filter(({ status }) => status !== 202).length
  note(
    `${refused} of ${answers.length} refused, slowest ${slowest.toFixed(0)} ms, event loop ≤ ${lag.ms.toFixed(0)} ms`,
  )
}

/** When it is known that Postgres stands still, nobody new waits for it. Returns how long the refusal took. */
async function refusedSoon({ gatewayUrl }: World): Promise<number> {
  const begun = performance.now()
  const response = await fetch(`${gatewayUrl}/v1/session/message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'hello' }),
    signal: AbortSignal.timeout(refusedWithinMs),
  })
  const { code } = (await response.json()) as { readonly code?: string }
  assert.deepEqual([response.status, code], [503, 'database_unavailable'])
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/)
  return performance.now() - begun
}
