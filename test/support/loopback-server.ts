// A real HTTP server on a free loopback port, for the length of a test. It remembers what it was asked.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'

export interface LoopbackServer {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly requests: readonly Pick<IncomingMessage, 'method' | 'url' | 'headers'>[]
}

/** Connections still open at the end of the test are cut. */
export async function startLoopbackServer(t: TestContext, answer: RequestListener): Promise<LoopbackServer> {
  const requests: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = []
  const server = createServer({ maxHeaderSize: 4_194_304 }, (request, response) => {
    const { method, url, headers } = request
    requests.push({ method, url, headers })
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    return closed
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, requests }
}
