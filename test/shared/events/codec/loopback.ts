// A real HTTP server and client between an encoder and a decoder: what Node does to a header on the way belongs to the test.

import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export type Send = (message: { readonly headers: Record<string, unknown>; readonly body: unknown }) => Promise<Received>

/** Sends a message and gives what the server received. */
export async function startLoopback(t: TestContext): Promise<Send> {
  let arrived: (received: Received) => void
  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, answer) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      arrived({ headers: incoming.headers, body: Buffer.concat(chunks) })
      answer.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  t.after(async () => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close', { signal: AbortSignal.timeout(5_000) })
  })
  return async ({ headers, body }) => {
    const received = new Promise<Received>((resolve) => (arrived = resolve))
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', agent, headers: textHeaders(headers) })
    outgoing.end(bytesOf(body))
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.resume()
    await once(answer, 'end')
    return received
  }
}

const textHeaders = (headers: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  )

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body as Uint8Array)
}
