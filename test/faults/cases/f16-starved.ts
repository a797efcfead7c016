// F16: a process runs out of what the machine gives it: file descriptors, its turn of the event loop. It refuses and comes back;
// it does not end, and it calls itself dead only when it truly hangs.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFiles } from '../../support/process-state.ts'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'
import { inspect } from '../world/inspector.ts'
import { loopBlockedMs } from '../world/world.ts'

const spareFiles = 6
const crowd = 100

export const starvedCases: readonly FaultCase[] = [
  {
    id: 'F16',
    title: 'the gateway has no file descriptor left: it refuses, does not end, and comes back',
    repeats: 5,
    run: async ({ world, proven, note, atEnd }) => {
      const { process, gatewayUrl, traffic } = await world()
      const gateway = process('gateway')
      const pid = gateway.pid() ?? 0
      const limit = (soft: string): void => void execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}`])
      const before = execFileSync('prlimit', ['--pid', String(pid), '--nofile', '--noheadings', '--output=SOFT'], {
        encoding: 'utf8',
      }).trim()
      atEnd(() => limit(`${before}:`))
      const most = openFiles(pid) + spareFiles
      limit(`${most}:`)
      const sockets = Array.from({ length: crowd }, () => knock(Number(new URL(gatewayUrl).port)))
      atEnd(() => sockets.forEach((socket) => socket.destroy()))
      await until('no descriptor is left', () => openFiles(pid) >= most - 1)
      await sleep(500)
      const turnedAway = sockets.filter(({ destroyed }) => destroyed).length
      assert.ok(turnedAway > 0, 'every connection was taken in')
      proven(`${openFiles(pid)} of ${most} descriptors in use, ${turnedAway} of ${crowd} connections turned away`)
      const begun = performance.now()
      traffic.start()
      await sleep(2_000)
      sockets.forEach((socket) => socket.destroy())
      limit(`${before}:`)
      await until('messages are taken again', () => traffic.answers(begun).at(-1)?.status === 202)
      assert.equal(gateway.pid(), pid, 'the process has ended')
      const refused = traffic.answers(begun).filter(({ status }) => status !== 202)
      note(`${refused.length} messages refused or cut off`)
    },
  },
  ...[
    { ms: loopBlockedMs * 0.6, alive: true, title: 'the event loop stands still for a while: the process stays alive' },
    {
      ms: loopBlockedMs * 1.4,
      alive: false,
      title: 'the event loop hangs for longer than it may: only then /live says no',
    },
  ].map(({ ms, alive, title }): FaultCase => ({
    id: 'F16',
    title,
    repeats: 5,
    run: async ({ world, proven, note }) => {
      const { process, operationsUrl, traffic } = await world()
      const gateway = process('gateway')
      const pid = gateway.pid()
      traffic.start()
      const debug = await inspect(gateway)
      const live = async (): Promise<number> => (await fetch(`${operationsUrl('gateway')}/live`)).status
      assert.equal(await live(), 200)
      const begun = performance.now()
      const blocking = debug.evaluate(
        `{ const end = Date.now() + ${ms}; while (Date.now() < end); Date.now() - end + ${ms} }`,
      )
      await sleep(200)
      const first = await live() // answered when the loop turns again
      const silentMs = performance.now() - begun
      const blocked = Number(await blocking)
      debug.close()
      assert.ok(
        blocked >= ms && silentMs >= ms * 0.9,
        `it stood still for ${blocked} ms, silent ${silentMs.toFixed(0)} ms`,
      )
      proven(`the loop of ${pid} stood still for ${blocked} ms`)
      assert.equal(first === 200, alive, `/live said ${first}`)
      await until('/live says yes', async () => (await live()) === 200, { limitMs: 30_000 })
      await until('messages are taken', () => traffic.answers(begun).at(-1)?.status === 202, { limitMs: 20_000 })
      assert.equal(gateway.pid(), pid, 'the process has ended')
      note(`/live said ${first} first`)
    },
  })),
]

/** A connection with a request that is never complete. */
function knock(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  void once(socket, 'connect').then(() => socket.write('POST / HTTP/1.1\r\nhost: x\r\n'))
  return socket
}
