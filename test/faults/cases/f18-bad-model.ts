// F18: the model answers badly: errors, refusals with a time to come back, garbage, silence.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseScript } from '../../../local/rehearsal-model/index.ts'
import type { Fault, FaultCase } from '../case.ts'
import { endOf, sendCrowd, statesOf } from '../world/turns.ts'
import type { World } from '../world/world.ts'

const outageMs = { smoke: 5_000, full: 45_000 }
/** Requests of an outage for each answer that is wanted. */
const mostAmplification = 1.2
const retryAfterSeconds = 3

export const badModelCases: readonly FaultCase[] = [
  ...[500, 503].map((status): FaultCase => ({
    id: 'F18',
    title: `the model answers ${status} to all: it is asked at most 1.2 times for each answer wanted`,
    fullOnly: status === 500,
    limitMs: 180_000,
    run: async (fault) => {
      const { world, proven, note, full } = fault
      const { model } = await world()
      const asked = await play(fault, `rules: [{ name: outage, then: { status: ${status} } }]`)
      const turns = await sendCrowd(await world())
      await sleep(outageMs[full ? 'full' : 'smoke'])
      const requests = asked().length
      assert.ok(requests > 0)
      proven(`${requests} requests answered ${status}`)
      note(`${(requests / turns.length).toFixed(2)} requests for each of ${turns.length} answers wanted`)
      assert.ok(requests <= turns.length * mostAmplification, `${requests} requests for ${turns.length} answers`)
      model.play({ rules: [] })
      note(await endOf(await world(), turns))
    },
  })),
  {
    id: 'F18',
    title: `the model answers 429 with Retry-After: it is not asked before`,
    limitMs: 120_000,
    run: async (fault) => {
      const { world, proven, note } = fault
      const headers = `headers: { retry-after: "${retryAfterSeconds}" }`
      const asked = await play(fault, `rules: [{ name: limit, times: 4, then: { status: 429, ${headers} } }]`)
      const turns = await sendCrowd(await world(), 4)
      note(await endOf(await world(), turns))
      const refused = asked().filter(({ rule }) => rule === 'limit')
      assert.equal(refused.length, 4)
      proven('4 requests answered 429')
      for (const { turn, at, number } of refused) {
        const next = asked().find((request) => request.turn === turn && request.number > number)
        if (next === undefined) continue
        const waited = next.at - at
        assert.ok(waited >= retryAfterSeconds * 1_000, `asked again after ${waited} ms`)
      }
    },
  },
  {
    id: 'F18',
    title: 'the model is slow, hangs, breaks off and sends garbage: every turn is answered in the end',
    limitMs: 120_000,
    run: async (fault) => {
      const { world, proven, note } = fault
      const faults = [
        'delay_ms: 2500',
        'hang: true',
        'cut_after: 1',
        'hang_after: 1',
        ...['html', 'json', 'bytes', 'chunk'].map((kind) => `garbage: ${kind}`),
      ]
      const rules = faults.map((then) => `{ name: "${then}", times: 1, then: { ${then} } }`)
      const asked = await play(fault, `rules: [${rules.join(', ')}]`)
      const shared = await world()
      const turns = await sendCrowd(shared, faults.length)
      note(await endOf(shared, turns))
      const met = faults.filter((name) => asked().some(({ rule }) => rule === name))
      assert.deepEqual(met, faults)
      proven(`met: ${met.join(', ')}`)
      const states = await statesOf(shared, turns)
      assert.deepEqual([...new Set(states)], ['completed'])
    },
  },
]

type Asked = () => ReturnType<World['model']['requests']>

/** Plays the script until the end of the case, and tells what the model is asked from now on. */
async function play({ world, atEnd }: Fault, script: string): Promise<Asked> {
  const { model } = await world()
  const known = model.requests().length
  model.play(parseScript(script))
  atEnd(() => model.play({ rules: [] }))
  return () => model.requests().slice(known)
}
