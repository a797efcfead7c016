// Takes whatever spans a server under test exports, says yes, and counts them.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Collector extends AsyncDisposable {
  readonly url: string
  /** That arrived so far. */
  spans(): number
}

const kind = Buffer.from('"kind":') // once in each span, and nowhere else

export async function startCollector(): Promise<Collector> {
  let spans = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      spans += countSpans(Buffer.concat(chunks))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function countSpans(body: Buffer): number {
  let found = 0
  for (let at = body.indexOf(kind); at >= 0; at = body.indexOf(kind, at + kind.length)) found += 1
  return found
}
