// Runs code inside a process of the world through Node's own debugger, which SIGUSR1 opens on a free port of loopback
// (--inspect-port=0 in its environment). No code of the product takes part.

import { readFileSync } from 'node:fs'
import type { SupervisedProcess } from '../../../local/runner/index.ts'
import { until } from '../../support/until.ts'

export interface Inspector {
  /** Resolves with the value when the code has run. */
  evaluate(code: string): Promise<unknown>
  close(): void
}

const listening = /Debugger listening on (ws:\/\/\S+)/g

export async function inspect(target: SupervisedProcess): Promise<Inspector> {
  const address = await openDebugger(target)
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  const waiting = new Map<number, (value: unknown) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result?: { result?: { value?: unknown } } }
    waiting.get(id)?.(result?.result?.value)
    waiting.delete(id)
  })
  let last = 0
  return {
    evaluate: (expression) =>
      new Promise((resolve) => {
        last += 1
        waiting.set(last, resolve)
        socket.send(
          JSON.stringify({ id: last, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }),
        )
      }),
    close: () => socket.close(),
  }
}

const opened = new Map<number, string>()

/** Once open it stays so, and says nothing when it is asked again. */
async function openDebugger(target: SupervisedProcess): Promise<string> {
  const { logPath } = target.spec
  const pid = target.pid() ?? 0
  const before = opened.get(pid)
  if (before !== undefined) return before
  const known = addressesIn(logPath).length
  target.kill('SIGUSR1')
  const address = await until('the debugger listens', () => addressesIn(logPath)[known])
  opened.set(pid, address)
  return address
}

const addressesIn = (logPath: string): readonly string[] =>
  [...readFileSync(logPath, 'utf8').matchAll(listening)].map(([, address = '']) => address)
