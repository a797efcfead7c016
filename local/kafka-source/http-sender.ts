// The sender over node:http. Connections are kept and reused, a hundred at most for each source; one that timed out is closed.
// No `accept` and no `connection` header; no content-length where there is no body.

import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../shared/time/index.ts'
import { isFolded, type SinkRequest } from './request/index.ts'
import type { SendOptions, SendOutcome, Sender, SinkAnswer } from './sender.ts'

const maxConnections = 100

export interface Address {
  readonly host: string
  readonly port: number
}

export interface HttpSenderDeps {
  readonly clock: Clock
  /** Where to connect for the address in a URL; by default there. */
  readonly dial?: (address: Address) => Address
}

export function createHttpSender({ clock, dial = (address) => address }: HttpSenderDeps): Sender & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections })
  agent.createConnection = ({ host, port }): Socket => connect(dial({ host: String(host), port: Number(port) }))

  function exchange({ method, url, headers, body }: SinkRequest, options: SendOptions): Promise<SendOutcome> {
    const { timeoutMs, signal } = options
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ method, agent, setHost: false, ...target(url) })
      const headTimer = clock.after(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      const onAbort = (): void => void outgoing.destroy(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      const end = (settle: () => void): void => {
        headTimer.cancel()
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const fail = (error: Error): void =>
        end(() =>
          signal.aborted ? reject(signal.reason as Error) : resolve({ kind: 'broken', reason: error.message }),
        )
      outgoing.on('error', fail)
      outgoing.on('response', (incoming) => {
        headTimer.cancel()
        readAnswer(incoming).then((answer) => end(() => resolve(answer)), fail)
      })
      setHeaders(outgoing, headers)
      outgoing.end(body ?? undefined)
    })
  }

  return {
    // node:http does not write folded lines, so the answer of the receiver's parser is given here.
    send: async (request, options) => (isFolded(request) ? badRequest : exchange(request, options)),
    close: () => agent.destroy(),
  }
}

const badRequest: SinkAnswer = { kind: 'answer', status: 400, headers: [], body: Buffer.alloc(0) }

// As written in the source's sink: WHATWG URL would change some paths.
function target(url: string): Address & { readonly path: string } {
  const { hostname, port } = new URL(url)
  const path = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? ''
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 80 : Number(port),
    path: path.startsWith('/') ? path : `/${path}`,
  }
}

function setHeaders(outgoing: ClientRequest, headers: readonly (readonly [string, string])[]): void {
  outgoing.removeHeader('connection')
  for (const [name, values] of Map.groupBy(headers, ([name]) => name)) {
    const texts = values.map(([, value]) => value)
    outgoing.setHeader(name, texts.length === 1 ? (texts[0] ?? '') : texts)
  }
  if (headers.some(([name]) => name === 'content-length')) return
  outgoing.removeHeader('content-length')
  outgoing.removeHeader('transfer-encoding')
}

async function readAnswer(incoming: IncomingMessage): Promise<SinkAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { rawHeaders, statusCode = 0 } = incoming
  const headers = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
  )
  return { kind: 'answer', status: statusCode, headers, body: Buffer.concat(chunks) }
}
