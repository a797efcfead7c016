// When does a server answer 200 for the first time? Asked again and again over new connections.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const everyMs = 2

/** Resolves with whether the server answers 200 now. */
export function firstAnswer(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`))
    socket.once('data', (chunk) => {
      socket.destroy()
      resolve(chunk.subarray(9, 12).toString() === '200')
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

export async function waitForAnswer(ask: () => Promise<boolean>, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`no answer within ${limitMs} ms`)
    await sleep(everyMs)
  }
}
