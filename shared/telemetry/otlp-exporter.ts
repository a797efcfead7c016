// Sends spans to an OTLP receiver, as JSON over HTTP. The encoding is OpenTelemetry's; the sending is not: its transport keeps
// a process alive with timers of tries to come, and tells nobody what it lost.
//
// OE1  A batch is tried twice at most, within `timeoutMs`, and then lost. Whoever asked hears which.
// OE2  After shutdown() nothing is under way, and no timer or socket of it keeps the process alive.

import { ExportResultCode } from '@opentelemetry/core'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { messageOf } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'

export interface OtlpExporterOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of one batch, both tries together, in milliseconds. */
  readonly timeoutMs: number
}

export interface OtlpExporterDeps {
  readonly clock: Clock
  /** Hears what became of so many spans. `reason` holds no address. */
  readonly onExported: (outcome: 'sent' | 'lost', spans: number, reason: string) => void
}

/** A receiver that restarts or sheds load is back soon. In milliseconds. */
const retryAfterMs = 500
const retried = new Set([429, 502, 503, 504])

export function createOtlpExporter(
  { url, headers, timeoutMs }: OtlpExporterOptions,
  { clock, onExported }: OtlpExporterDeps,
): SpanExporter {
  const closing = new AbortController()

  async function post(body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<number> {
    const type = { 'content-type': 'application/json' }
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, ...type },
      body,
      signal,
      redirect: 'error',
    })
    await answer.body?.cancel() // partial success is not worth a second look
    return answer.status
  }

  async function send(spans: ReadableSpan[]): Promise<string> {
    const body = JsonTraceSerializer.serializeRequest(spans)
    if (body === undefined) return 'not serialisable'
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)])
    const first = await post(new Uint8Array(body), signal).catch(() => 503)
    if (first < 300) return ''
    if (!retried.has(first)) return `status ${first}`
    await clock.sleep(retryAfterMs, signal)
    const second = await post(new Uint8Array(body), signal)
    return second < 300 ? '' : `status ${second}`
  }

  return {
    export: (spans, done) => {
      const told = (reason: string): void => {
        onExported(reason === '' ? 'sent' : 'lost', spans.length, reason)
        done({ code: reason === '' ? ExportResultCode.SUCCESS : ExportResultCode.FAILED })
      }
      void send(spans).then(told, (error: unknown) => told(messageOf(error)))
    },
    forceFlush: async () => undefined,
    shutdown: async () => closing.abort(),
  }
}
