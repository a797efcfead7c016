// One address for the processes of a function, as a Service with readiness is: each request goes to the next process that said
// ready when it was last asked. While none does, requests wait, as they do at Knative's activator. It remembers every answer that
// a process should not have given, having said that it is ready.

import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'

export interface Instance {
  readonly name: string
  readonly url: string
  readonly operationsUrl: string
}

export interface Router {
  readonly url: string
  /** From now on. */
  serve(instances: readonly Instance[]): void
  /** Is the process in rotation? */
  isReady(name: string): boolean
  readonly answered: () => number
  /** 5xx and broken connections of processes that had said ready, as text. */
  readonly faults: readonly string[]
  stop(): Promise<void>
}

interface Member extends Instance {
  ready: boolean
}

interface Incoming {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
}

const askEveryMs = 50
const lookAgainMs = 20

export async function startRouter(): Promise<Router> {
  const agent = new Agent({ keepAlive: true })
  const faults: string[] = []
  const stopping = new AbortController()
  let members: Member[] = []
  let turn = 0
  let answered = 0

  async function ask(member: Member): Promise<void> {
    while (!stopping.signal.aborted) {
      const answer = await fetch(`${member.operationsUrl}/ready`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      )
      await answer?.body?.cancel()
      member.ready = answer?.status === 200
      await sleep(askEveryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  async function pick(response: ServerResponse): Promise<Member | undefined> {
    while (!response.destroyed && !stopping.signal.aborted) {
      const ready = members.filter((member) => member.ready)
      turn += 1
      const next = ready[turn % Math.max(1, ready.length)]
      if (next !== undefined) return next
      await sleep(lookAgainMs)
    }
    return undefined
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    const body = await buffer(request).catch(() => undefined)
    const member = body === undefined ? undefined : await pick(response)
    if (member === undefined || body === undefined) return void response.destroy()
    forward(member, { request, response, body })
  }

  function forward(member: Member, { request, response, body }: Incoming): void {
    const { method = 'GET', url = '/', headers } = request
    const note = (what: string): void => {
      if (!stopping.signal.aborted) faults.push(`${member.name}: ${method} ${url.split('?', 1)[0]}: ${what}`)
    }
    const sent = httpRequest(`${member.url}${url}`, { method, headers, agent }, (answer) => {
      const { statusCode = 0 } = answer
      answered += 1
      response.writeHead(statusCode, answer.headers)
      answer.pipe(response)
      // A /ready that says no tells the truth, and refuses no work.
      if (statusCode >= 500 && url !== '/ready')
        void buffer(answer).then(
          (text) => note(`${statusCode} ${text.toString().slice(0, 200)}`),
          () => undefined,
        )
      answer.on('error', () => response.destroy())
    })
    sent.on('error', (error) => {
      if (response.destroyed) return // the caller left
      note(error.message)
      response.destroy()
    })
    response.on('close', () => sent.destroy())
    sent.end(body)
  }

  const server = createServer((request, response) => void route(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asking: Promise<void>[] = []
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (instances) => {
      members = instances.map((instance) => ({ ...instance, ready: false }))
      asking.push(...members.map(ask))
    },
    isReady: (name) => members.some((member) => member.name === name && member.ready),
    answered: () => answered,
    faults,
    stop: async () => {
      stopping.abort()
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await Promise.all(asking)
    },
  }
}
