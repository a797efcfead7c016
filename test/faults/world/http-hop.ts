// A hop before a function that is asked over HTTP: passes requests on, or answers badly in its place. Its ledger is the proof.

import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type BadAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly body: string }
  | { readonly delayMs: number }
  | 'silence'
  | 'reset'

export interface HopRequest {
  readonly path: string
  /** Its idempotency key, if it has one. */
  readonly key: string | undefined
  /** From 1 on, since the rule is in force. */
  readonly number: number
  /** On the clock of performance.now(). */
  readonly at: number
  /** Undefined: it was passed on as it came. */
  readonly met: BadAnswer | undefined
}

export type HopRule = (request: Pick<HopRequest, 'path' | 'number'>) => BadAnswer | undefined

export interface HttpHop {
  readonly url: string
  /** Where the function is. */
  to(url: string): void
  /** From now on, until the next rule. Returns what is asked meanwhile, health aside. */
  play(rule: HopRule): readonly HopRequest[]
  stop(): Promise<void>
}

/** The rule at first. */
export const passAll: HopRule = () => undefined

export async function startHttpHop(): Promise<HttpHop> {
  let target = ''
  let rule = passAll
  let ledger: HopRequest[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '/', headers } = request
    if (path === '/ready') return pass(request, response)
    const number = ledger.length + 1
    const key = headers['idempotency-key']
    const met = rule({ path, number })
    ledger.push({ path, key: key === undefined ? undefined : String(key), number, at: performance.now(), met })
    if (met === 'reset') request.socket.resetAndDestroy()
    else if (met === 'silence') request.resume()
    else if (met === undefined) pass(request, response)
    else if ('status' in met) request.resume().on('end', () => response.writeHead(met.status, met.headers).end('{}'))
    else if ('body' in met) request.resume().on('end', () => response.writeHead(200).end(met.body))
    else {
      await sleep(met.delayMs)
      pass(request, response)
    }
  }

  function pass(request: IncomingMessage, response: ServerResponse): void {
    if (target === '') return void response.writeHead(503).end() // it is not there yet
    const { method, url = '/', headers } = request
    const passed = httpRequest(`${target}${url}`, { method, headers }, (received) => {
      response.writeHead(received.statusCode ?? 502, received.headers)
      received.on('error', () => response.destroy()).pipe(response)
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    request.pipe(passed)
  }

  const server = createServer((request, response) => {
    response.on('error', () => undefined)
    void answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (url) => {
      target = url
    },
    play: (next) => {
      rule = next
      ledger = []
      return ledger
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
