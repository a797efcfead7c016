// The shared servers of a test run, offered by test/run.ts to the processes of the test files. One POST per method; the path
// holds a random token, so that nothing else on the machine is served by chance.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { TestServices } from './services.ts'

export interface ServicesServer {
  /** What the environment variable TEST_SERVICES_URL holds for the test files. */
  readonly url: string
  close(): void
}

export async function serveServices(services: TestServices): Promise<ServicesServer> {
  const token = randomUUID()
  const methods = new Map<string, (options: never) => Promise<unknown>>([
    ['createDatabase', services.createDatabase],
    ['dropDatabase', services.dropDatabase],
    ['kafka', services.kafka],
    ['redis', services.redis],
  ])
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const [, presented, method = ''] = (request.url ?? '').split('/')
      const call = presented === token ? methods.get(method) : undefined
      if (call === undefined) return void response.writeHead(404).end()
      try {
        const result = await call((await json(request)) as never)
        response.end(JSON.stringify({ result: result ?? null }))
      } catch (error) {
        response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
      }
    }
    void answer()
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/${token}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

export function servicesAt(url: string): TestServices {
  const call =
    (method: string) =>
    async (options: object = {}): Promise<never> => {
      const response = await fetch(`${url}/${method}`, { method: 'POST', body: JSON.stringify(options) })
      const { result, error } = (await response.json()) as { readonly result: never; readonly error?: string }
      if (error !== undefined) throw new Error(`${method}: ${error}`)
      return result
    }
  return {
    createDatabase: call('createDatabase'),
    dropDatabase: call('dropDatabase'),
    kafka: call('kafka'),
    redis: call('redis'),
  }
}
