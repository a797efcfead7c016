// Client for a model behind an OpenAI-compatible API. One call, one answer, streamed to `onDelta` while it comes.
//
// M1  Every wait has a limit: connection, first token, next chunk, total. The caller's signal ends any of them.
// M2  An answer is whole or it is an error: a stream that stops before its end is `model_cut`, never a short answer.
// M3  One retry layer. Failures go to the caller, whose delivery tries the step again with back-off. The one exception is
//     a connection that failed before any answer (a kept-alive socket that the server had closed, mostly): that is tried
//     once more at once, within a budget, before a single delta was told.
// M4  One breaker an endpoint. It opens on failures of the model, not on 4xx and not on 429, which brings its own pause.

import type { Secret } from '../config/index.ts'
import { SluiceError, messageOf, type ErrorCode } from '../errors/index.ts'
import type { Component } from '../lifecycle/index.ts'
import {
  createBreaker,
  createOutbound,
  createRetryBudget,
  probeHttp,
  retry,
  type Circuit,
} from '../resilience/index.ts'
import type { Instruments, Logger, Tracer } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { ModelAnswer, TextDelta } from './answer-builder.ts'
import { inChatSpan } from './chat-span.ts'
import { createAttempt, isUnreachable, type ModelTimeouts } from './model-attempt.ts'
import type { ModelRequest } from './model-request.ts'

export interface ModelClientOptions {
  /** Such as https://host/v1; `/chat/completions` is appended. */
  readonly baseUrl: string
  readonly apiKey?: Secret<string> | undefined
  readonly timeouts: ModelTimeouts
  /** Longest answer in characters, arguments of tool calls included. Default 262 144. */
  readonly maxAnswerChars?: number
  /** Calls at the same time. Default 200. */
  readonly capacity?: number
  /** Time that an open breaker stays open, in milliseconds. Default 10 000. */
  readonly breakerResetMs?: number
}

export interface ModelClientDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly random: () => number
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
}

export interface CompleteOptions {
  readonly signal: AbortSignal
  /** Called for each piece of text, in order. Must not throw. */
  readonly onDelta?: (delta: TextDelta) => void
}

export interface ModelClient extends Component {
  /** Asks for the list of models, which costs no tokens. */
  probe(signal: AbortSignal): Promise<void>
  /** Of its endpoint. */
  readonly circuit: Circuit
  /**
   * @throws SluiceError `model_rate_limited`, `model_overloaded`, `model_unavailable`, `model_timeout`, `model_malformed`,
   * `model_cut` (try later; `retryAfterMs` where the model said when), `model_context_too_long`, `model_auth`,
   * `model_bad_request`, `response_too_large` (another try changes nothing), `circuit_open`, `overloaded` (not asked at
   * all), or the reason of the signal.
   */
  complete(request: ModelRequest, options: CompleteOptions): Promise<ModelAnswer>
}

/** @throws SluiceError `invalid_option` when `baseUrl` is not a URL. */
export function createModelClient(
  options: ModelClientOptions,
  { clock, log, instruments, random, tracer }: ModelClientDeps,
): ModelClient {
  const { baseUrl, apiKey, timeouts, maxAnswerChars = 262_144, capacity = 200, breakerResetMs = 10_000 } = options
  if (URL.parse(baseUrl) === null)
    throw new SluiceError('invalid_option', 'MODEL_BASE_URL: expected an absolute http or https URL')
  const root = baseUrl.replace(/\/+$/, '')
  const url = `${root}/chat/completions`
  const backstopMs = timeouts.totalMs + 5_000
  const outbound = createOutbound(
    { dependency: 'model', connectMs: timeouts.connectMs, headersMs: backstopMs, bodyIdleMs: backstopMs },
    { clock, instruments, tracer },
  )
  const breaker = createBreaker(
    { dependency: 'model', timeoutMs: backstopMs, capacity, windowMs: 60_000, resetMs: breakerResetMs },
    { clock, instruments },
  )
  const budget = createRetryBudget()

  const attempt = createAttempt({ url, apiKey, timeouts, maxAnswerChars }, { outbound, clock, random })
  const onRetry = (error: unknown): void => {
    instruments.retries.inc({ dependency: 'model' })
    log.warn({ reason: messageOf(error) }, 'model connection failed; trying once more')
  }

  return {
    name: 'model',
    circuit: breaker,
    complete: async (request, { signal, ...rest }) => {
      const begun = clock.monotonic()
      const observe = (outcome: 'ok' | ErrorCode): void =>
        instruments.modelSeconds.observe({ outcome }, (clock.monotonic() - begun) / 1_000)
      const policy = { attempts: 2, backoff: { firstMs: 50, maxMs: 50 }, budget, isRetryable: isUnreachable, signal }
      try {
        const answer = await inChatSpan(request, { tracer, url }, () =>
          retry({ ...policy, onRetry }, { clock, random }, () =>
            breaker.run((call) => attempt(request, { ...call, ...rest }), { signal }),
          ),
        )
        observe('ok')
        instruments.modelTokens.inc({ direction: 'input' }, answer.usage.inputTokens)
        instruments.modelTokens.inc({ direction: 'output' }, answer.usage.outputTokens)
        return answer
      } catch (error) {
        observe(error instanceof SluiceError ? error.code : 'internal')
        throw error
      }
    },
    probe: (signal) => {
      const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` }
      return probeHttp({ dependency: 'model', url: `${root}/models`, headers }, { outbound, signal })
    },
    start: async () => undefined,
    stop: async () => {
      breaker.stop()
      await outbound.stop()
    },
    // A half-open breaker needs a call to find out, so it must not keep calls away by looking broken.
    health: () => {
      const state = breaker.state()
      if (state === 'open') return { status: 'down', error: 'the breaker is open' }
      return { status: state === 'closed' ? 'up' : 'unknown' }
    },
  }
}
