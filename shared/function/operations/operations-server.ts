// The second port of every process: health, metrics and the log level for the platform, never for callers. It answers while the serving
// port drains, and until the very end of the process.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Component } from '../../lifecycle/index.ts'
import type { Instruments, LogLevel } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { listen } from '../listen.ts'
import type { Health } from './health.ts'
import { operationsOpenApi } from './openapi.ts'
import { answerLogLevel } from './log-level-route.ts'

export interface OperationsOptions {
  readonly host: string
  readonly port: number
}

export interface OperationsDeps {
  readonly health: Health
  readonly registry: Instruments['registry']
  readonly clock: Clock
  readonly logLevel: LogLevel
}

export interface OperationsServer extends Component {
  /** The open port; 0 before start. */
  port(): number
  /** Resolves after the next answered scrape, at the latest after `withinMs`; at once when nobody has scraped lately. */
  nextScrape(withinMs: number): Promise<void>
}

const contract = JSON.stringify(operationsOpenApi)

/** Who has not scraped for so long will not do so soon, in milliseconds. */
const lateMs = 60_000

export function createOperationsServer(
  options: OperationsOptions,
  { health, registry, clock, logLevel }: OperationsDeps,
): OperationsServer {
  let port = 0
  let scrapedAtMs = -Infinity
  let onScrape = (): void => undefined
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 75_000 },
    (request, response) => {
      // What fails is the reading of a body that was cut off: there is nobody left to answer.
      void answer(request, response).catch(() => response.destroy())
    },
  )

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request.url)
    if (path === '/log-level') return send(response, await answerLogLevel(request, logLevel))
    request.resume()
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, { status: 405, body: '', allow: 'GET, HEAD' })
    if (path === '/metrics') noteScrape(response)
    if (path === '/metrics') return sendMetrics(request, response)
    if (path === '/openapi.json') return send(response, { status: 200, body: contract })
    send(response, health.answer(path) ?? { status: 404, body: '' })
  }

  async function sendMetrics({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { contentType, body } = await registry.scrape(headers.accept)
    send(response, { status: 200, body, type: contentType })
  }

  function noteScrape(response: ServerResponse): void {
    response.once('finish', () => {
      scrapedAtMs = clock.monotonic()
      onScrape()
    })
  }

  return {
    name: 'operations-server',
    start: async () => {
      port = await listen(server, { ...options, variable: 'SLUICE_OPERATIONS_PORT' })
    },
    stop: async () => {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
    health: () => ({ status: server.listening ? 'up' : 'down' }),
    port: () => port,
    nextScrape: async (withinMs) => {
      if (withinMs <= 0 || clock.monotonic() - scrapedAtMs > lateMs) return
      const scraped = new AbortController()
      onScrape = () => scraped.abort()
      await clock.sleep(withinMs, scraped.signal).catch(() => undefined) // cut by the scrape
    },
  }
}

export const pathOf = (target: string | undefined): string => (target ?? '/').split('?', 1)[0] ?? '/'

interface PlainAnswer {
  readonly status: number
  readonly body: string
  readonly type?: string
  readonly allow?: string
}

function send(response: ServerResponse, { status, body, type = 'application/json', allow }: PlainAnswer): void {
  const head = ['content-type', type, 'content-length', String(Buffer.byteLength(body)), 'cache-control', 'no-store']
  if (allow !== undefined) head.push('allow', allow)
  response.writeHead(status, head)
  response.end(body)
}
