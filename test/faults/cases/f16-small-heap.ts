// F16: a process with little memory is asked for more than it can hold at once. It answers what it can and refuses the rest;
// it does not run out of memory.

import assert from 'node:assert/strict'
import { spawnGuarded } from '../../../local/guard/index.ts'
import { allotPorts } from '../../../local/runner/index.ts'
import { processMemory } from '../../support/process-state.ts'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'

const heapMiB = 48
const crowd = 200
const bodyBytes = 900_000
const rounds = { smoke: 4, full: 40 }

export const smallHeapCases: readonly FaultCase[] = [
  {
    id: 'F16',
    title: `a gateway with a heap of ${heapMiB} MiB gets ${crowd} large requests at once: it lives`,
    limitMs: 120_000,
    run: async ({ world, proven, note, atEnd, full }) => {
      const { spec } = (await world()).process('gateway')
      const [port = 0, operationsPort = 0] = await allotPorts(2)
      const child = await spawnGuarded({
        file: spec.file,
        args: [`--max-old-space-size=${heapMiB}`, ...spec.args],
        env: { ...spec.env, PORT: String(port), SLUICE_OPERATIONS_PORT: String(operationsPort) },
        cwd: spec.cwd,
        stopSignal: 'SIGTERM',
      })
      atEnd(() => child.stop({ limitMs: 6_000 }))
      let exit: number | undefined
      void child.exited.then((code) => (exit = code))
      const url = `http://127.0.0.1:${port}/v1/session/message`
      await until(
        'the small gateway is ready',
        async () => (await fetch(`http://127.0.0.1:${operationsPort}/ready`)).ok,
        {
          limitMs: 60_000,
          everyMs: 100,
        },
      )

      const headers = { 'content-type': 'application/json' }
      const large = JSON.stringify({ message: 'hello', metadata: wide(bodyBytes) })
      const statuses = new Map<number, number>()
      for (let round = 1; round <= rounds[full ? 'full' : 'smoke']; round += 1) {
        const asked = Array.from({ length: crowd }, async () => {
          const signal = AbortSignal.timeout(60_000)
          const answer = await fetch(url, { method: 'POST', headers, body: large, signal }).catch(() => undefined)
          await answer?.arrayBuffer().catch(() => undefined)
          const status = answer?.status ?? 0
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
        })
        await Promise.all(asked)
      }
      assert.equal(exit, undefined, `the process ended with ${exit}`)
      proven(`${rounds[full ? 'full' : 'smoke'] * crowd} requests of ${bodyBytes} bytes, ${heapMiB} MiB of heap`)
      const answers = [...statuses].map(([status, count]) => `${count} × ${status === 0 ? 'no answer' : status}`)
      note(`${answers.join(', ')}; ${processMemory(child.pid).toFixed(0)} MiB held`)
      const body = JSON.stringify({ message: 'hello' })
      await until(
        'a message is taken',
        async () => (await fetch(url, { method: 'POST', headers, body })).status === 202,
      )
    },
  },
]

/** An object of about so many bytes, which costs more in memory than on the wire. */
function wide(bytes: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: Math.floor(bytes / 20) }, (_, at) => [`key-${at}`, 'value']))
}
