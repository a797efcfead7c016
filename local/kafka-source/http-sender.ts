// The sender over node:http. Connections are kept and reused, a hundred at most for each source; one that timed out is closed.
// No `accept` and no `connection` header; no content-length where there is no body.

import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Clock } from '../../shared/time/index.ts'
import type { SinkRequest } from './request/index.ts'
import type { SendOutcome, Sender, SinkAnswer } from './sender.ts'

const maxConnections = 100
const maxRedirects = 16

export function createHttpSender({ clock }: { readonly clock: Clock }): Sender & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections })

  async function send(
    request: SinkRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<SendOutcome> {
    let outcome = await exchange('POST', request, options)
    // 303 alone is followed, as a GET without the body (Vert.x HttpClientImpl).
    for (
      let redirects = 0;
      outcome.kind === 'answer' && outcome.status === 303 && redirects < maxRedirects;
      redirects += 1
    ) {
      const location = outcome.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
      const url = location === undefined ? null : URL.parse(location, request.url)
      if (url === null) return outcome
      const headers = request.headers.flatMap((header) =>
        header[0] === 'content-length' ? [] : [header[0] === 'host' ? (['host', url.host] as const) : header],
      )
      outcome = await exchange('GET', { url: url.href, headers, body: null }, options)
    }
    return outcome
  }

  function exchange(
    method: 'POST' | 'GET',
    { url, headers, body }: SinkRequest,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<SendOutcome> {
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

  return { send, close: () => agent.destroy() }
}

// As written in the source's sink: WHATWG URL would change some paths.
function target(url: string): { readonly host: string; readonly port: number; readonly path: string } {
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
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const known = values.get(name.toLowerCase())
    if (known === undefined) values.set(name.toLowerCase(), [value])
    else known.push(value)
  }
  for (const [name] of headers) {
    const value = values.get(name.toLowerCase())
    if (value !== undefined) outgoing.setHeader(name, value.length === 1 ? (value[0] ?? '') : value)
  }
  if (values.has('content-length')) return
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
