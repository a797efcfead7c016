// The HTTP client for dependencies named in the configuration: a pool of connections per host, streamed answers, the
// trace handed on. It follows no redirects and ignores proxy variables: what is configured is what is called.
// For URLs that users or models choose there is untrusted-outbound.ts.

import { Agent } from 'undici'
import { currentTrace, traceHeaders, type Dependency, type Instruments, type Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { endCallSpan, startCallSpan } from './call-span.ts'
import { toOutboundError } from './outbound-error.ts'
import { collectBody, flatHeaders, type ResponseHeaders } from './response.ts'

export interface OutboundOptions {
  /** Name for metrics and messages. */
  readonly dependency: Dependency
  /** Longest wait for a connection, in milliseconds. undici rounds limits above a second to half seconds. */
  readonly connectMs: number
  /** Longest wait for the head of the answer, in milliseconds. */
  readonly headersMs: number
  /** Longest pause within the body, in milliseconds. */
  readonly bodyIdleMs: number
  /** Hand the baggage of the caller on. Only where the dependency is one of our own services. Default: false. */
  readonly baggage?: boolean
}

export interface OutboundRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface OutboundResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  /** The body as it comes. Read it to the end, leave the loop, or `discard()` it: an unread body holds its connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** @throws SluiceError `response_too_large` beyond `limitBytes`. */
  bytes(limitBytes: number): Promise<Buffer>
  discard(): Promise<void>
}

export interface Outbound {
  /** Any status is an answer. @throws SluiceError `dependency_failed`, `dependency_timeout`, or the reason of the signal. */
  request(request: OutboundRequest, options: { readonly signal: AbortSignal }): Promise<OutboundResponse>
  /** Ends the connections; running requests fail. */
  stop(): Promise<void>
}

export interface OutboundDeps {
  readonly clock: Clock
  readonly instruments: Instruments
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
}

export function createOutbound(options: OutboundOptions, deps: OutboundDeps): Outbound {
  const { dependency, connectMs, headersMs, bodyIdleMs, baggage = false } = options
  const { clock, instruments } = deps
  const agent = new Agent({
    connect: { timeout: connectMs },
    headersTimeout: headersMs,
    bodyTimeout: bodyIdleMs,
    allowH2: false,
  })
  return {
    request: async ({ method, url, headers = {}, body }, { signal }) => {
      const begun = clock.monotonic()
      const span = startCallSpan({ dependency, method, url }, deps)
      const settle = (outcome: 'ok' | 'failed'): void => {
        instruments.outboundSeconds.observe({ dependency, outcome }, (clock.monotonic() - begun) / 1_000)
      }
      const failed = (cause: unknown): Error => {
        settle('failed')
        const error = toOutboundError(cause, dependency, signal)
        span?.end(error)
        return error
      }
      const trace = span?.trace ?? currentTrace()
      const traced = trace === undefined ? {} : traceHeaders(trace, { baggage })
      const sent = { method, headers: { ...traced, ...headers }, body: body ?? null, signal }
      const answer = await agent.request({ ...target(url), ...sent }).catch((error: unknown) => {
        throw failed(error)
      })
      const ended = (): void => {
        settle(answer.statusCode < 500 ? 'ok' : 'failed')
        endCallSpan(span, answer.statusCode)
      }
      const stream = watched(answer.body, { failed, ended })
      return {
        status: answer.statusCode,
        headers: flatHeaders(answer.headers),
        body: stream,
        bytes: (limitBytes) => collectBody(stream, limitBytes, dependency),
        discard: async () => {
          ended()
          await answer.body.dump({ limit: 65_536 }).catch(() => undefined)
        },
      }
    },
    stop: () => agent.destroy(),
  }
}

/** The same chunks; tells once how the body ended. Leaving the loop early destroys the body and counts as an end. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  { failed, ended }: { readonly failed: (error: unknown) => Error; readonly ended: () => void },
): AsyncGenerator<Uint8Array, void, undefined> {
  let broken = false
  try {
    yield* body
  } catch (error) {
    broken = true
    throw failed(error)
  } finally {
    if (!broken) ended()
  }
}

function target(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: `${pathname}${search}` }
}
