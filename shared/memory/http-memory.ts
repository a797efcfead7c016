// The port Memory over HTTP: memory-service, or whatever MEMORY_SERVICE_URL names in its place.
//
// H1  Every call has a time limit and a breaker. There is no retry here: a turn goes on without its memories, and writes are
//     tried again from their outbox.
// H2  Only an answer that says the memory itself is at fault is final. A wrong token, a wrong URL and a broken service get
//     mended, so the write is kept.

import type { Secret } from '../config/index.ts'
import { isErrorCode, SluiceError } from '../errors/index.ts'
import {
  createBreaker,
  createOutbound,
  parseRetryAfter,
  probeHttp,
  type Breaker,
  type OutboundResponse,
} from '../resilience/index.ts'
import type { Instruments, Tracer } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import { memoryTenantHeader, type Memory, type MemoryCall, type RecalledMemory, type Remembered } from './memory.ts'

export interface HttpMemoryOptions {
  readonly url: string
  readonly token?: Secret<string> | undefined
  /** Longest recall, in milliseconds. */
  readonly recallTimeoutMs: number
  /** Longest write, in milliseconds. */
  readonly rememberTimeoutMs?: number
}

export interface HttpMemoryDeps {
  readonly clock: Clock
  readonly instruments: Instruments
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
}

const dependency = 'memory-service'
/** Fifty memories of the longest kind, and room. */
const answerBytes = 8 * 1_024 * 1_024
const capacity = 64

export function createHttpMemory(options: HttpMemoryOptions, deps: HttpMemoryDeps): Memory {
  const { url, token, recallTimeoutMs, rememberTimeoutMs = 5_000 } = options
  const longestMs = Math.max(recallTimeoutMs, rememberTimeoutMs)
  const outbound = createOutbound(
    { dependency, connectMs: 1_000, headersMs: longestMs, bodyIdleMs: longestMs, baggage: true },
    deps,
  )
  const limits = { capacity, volumeThreshold: 5, resetMs: 5_000 }
  const recalls = createBreaker({ ...limits, dependency: 'memory recall', timeoutMs: recallTimeoutMs }, deps)
  const writes = createBreaker({ ...limits, dependency: 'memory write', timeoutMs: rememberTimeoutMs }, deps)

  async function post<Result>(path: string, { body, tenant, signal, more = {} }: Post): Promise<Result> {
    const headers = {
      'content-type': 'application/json',
      [memoryTenantHeader]: tenant,
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      ...more,
    }
    const answer = await outbound.request({ method: 'POST', url: `${url}${path}`, headers, body }, { signal })
    const bytes = await answer.bytes(answerBytes)
    const parsed = parse(bytes)
    if (answer.status >= 200 && answer.status < 300 && parsed !== undefined) return parsed as Result
    throw refusal(answer, parsed, deps.clock)
  }

  const through = <Result>(breaker: Breaker, path: string, sent: Post): Promise<Result> =>
    breaker.run(({ signal }) => post<Result>(path, { ...sent, signal }), { signal: sent.signal })

  return {
    name: dependency,
    remember: (memory, { idempotencyKey, ...call }) =>
      through<Remembered>(writes, '/v1/memory/remember', {
        ...call,
        body: JSON.stringify(memory),
        more: { 'idempotency-key': idempotencyKey },
      }),
    recall: async (question, call) => {
      const body = JSON.stringify(question)
      const { memories } = await through<{ readonly memories?: readonly RecalledMemory[] }>(
        recalls,
        '/v1/memory/recall',
        { ...call, body },
      )
      if (Array.isArray(memories)) return memories as readonly RecalledMemory[]
      throw new SluiceError('dependency_failed', `${dependency}: the answer has no memories`)
    },
    start: async () => undefined,
    stop: async () => {
      recalls.stop()
      writes.stop()
      await outbound.stop()
    },
    probe: (signal) => probeHttp({ dependency, url: `${url}/ready` }, { outbound, signal }),
    health: () => (writes.state() === 'open' ? { status: 'down', error: 'the breaker is open' } : { status: 'up' }),
  }
}

interface Post extends MemoryCall {
  readonly body: string
  readonly more?: Readonly<Record<string, string>>
}

function parse(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Statuses that speak of the memory and not of the way to it. */
const final = new Set([400, 413, 422])

function refusal({ status, headers }: OutboundResponse, problem: object | undefined, clock: Clock): SluiceError {
  const { code } = (problem ?? {}) as { readonly code?: unknown }
  const told = isErrorCode(code) ? code : undefined
  if (final.has(status)) {
    return new SluiceError(
      'invalid_request',
      `${dependency} refused the memory with ${status} ${told ?? ''}`.trimEnd(),
      {
        details: { status },
      },
    )
  }
  const retryAfterMs = parseRetryAfter(headers['retry-after'], clock.now())
  return new SluiceError('dependency_failed', `${dependency} answered ${status} ${told ?? ''}`.trimEnd(), {
    details: { status },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
