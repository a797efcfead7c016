// Posts spans to an OTLP receiver, as JSON over HTTP. OpenTelemetry's transport is not used: it keeps a process alive with timers
// of tries to come, and tells nobody what it lost. Nor is `fetch`: on kept-alive connections of node:http a body costs a third.
//
// OS1  A body is tried twice at most, within `timeoutMs`, and then lost. Whoever asked hears which.
// OS2  After close() nothing is under way, and no timer or socket of it keeps the process alive.

import * as http from 'node:http'
import * as https from 'node:https'
import { createDeadline, type Clock } from '../time/index.ts'

export interface OtlpSenderOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of one body, both tries together, in milliseconds. */
  readonly timeoutMs: number
}

export interface OtlpSender {
  /** Never rejects. Empty when the body was taken; otherwise why it is lost, without an address. */
  send(body: Buffer): Promise<string>
  /** Gives up what is under way. */
  close(): void
}

/** Hears what became of so many spans. `reason` holds no address. */
export type OnExported = (outcome: 'sent' | 'lost', spans: number, reason: string) => void

/** A receiver that restarts or sheds load is back soon. In milliseconds. */
const retryAfterMs = 500
const retried = new Set([429, 502, 503, 504])

export function createOtlpSender(
  { url, headers, timeoutMs }: OtlpSenderOptions,
  { clock }: { readonly clock: Clock },
): OtlpSender {
  const closing = new AbortController()
  const { request: open, Agent } = url.startsWith('https:') ? https : http
  const agent = new Agent({ keepAlive: true })

  const post = (body: Buffer, signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      const type = { 'content-type': 'application/json', 'content-length': body.length }
      open(url, { method: 'POST', agent, headers: { ...headers, ...type }, signal })
        .on('response', (response) => {
          response.resume() // partial success is not worth a second look
          response.on('close', () => resolve(response.statusCode ?? 0)) // until then the time limit is to hold
        })
        .on('error', reject)
        .end(body)
    })

  async function tryTwice(body: Buffer): Promise<string> {
    const deadline = createDeadline({ ms: timeoutMs, what: 'sending spans', parent: closing.signal }, { clock })
    const { signal } = deadline
    try {
      const first = await post(body, signal).catch(() => 503)
      if (isTaken(first)) return ''
      if (!retried.has(first)) return `status ${first}`
      await clock.sleep(retryAfterMs, signal)
      const second = await post(body, signal)
      return isTaken(second) ? '' : `status ${second}`
    } finally {
      deadline.cancel()
    }
  }

  return {
    send: (body) => tryTwice(body).catch(reasonOf),
    close: () => {
      closing.abort()
      agent.destroy()
    },
  }
}

const isTaken = (status: number): boolean => status >= 200 && status < 300

/** Messages of sockets name addresses; their codes do not. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
