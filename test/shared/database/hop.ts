// A hop before Postgres that sees each piece of what passes, and may hold an answer back or break the connection instead.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from '../../support/index.ts'

export interface Watch {
  readonly onSent?: (bytes: Buffer) => void
  /** What does not write the bytes to the client keeps them from it. */
  readonly onAnswer: (bytes: Buffer, client: Socket) => void
}

/** A URL that leads to the same server by the hop. */
export async function hop(t: TestContext, url: string, { onSent, onAnswer }: Watch): Promise<string> {
  const target = new URL(url)
  const port = Number(target.port)
  const listener = createServer((client) => {
    const server = connect(port, target.hostname)
    client.on('data', (bytes) => {
      onSent?.(bytes)
      server.write(bytes)
    })
    server.on('data', (bytes) => onAnswer(bytes, client))
    for (const socket of [client, server]) socket.on('error', () => undefined)
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  atEnd(t, () => void listener.close())
  target.port = String((listener.address() as AddressInfo).port)
  return target.href
}
