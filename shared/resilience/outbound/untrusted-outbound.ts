// The HTTP client for URLs that users or models choose. It reaches public hosts only, whatever a URL, a resolver or a
// redirect says.
//
// U1  Every address of a name is classified; one that is not public blocks the request before any connect.
// U2  The connection goes to exactly a classified address: names are resolved once per hop, so a resolver that answers
//     differently the second time (rebinding) is not asked a second time. SNI and Host carry the name.
// U3  Each redirect passes the same checks as the first URL; at most `maxRedirects` are followed.
// U4  What a caller sent for one origin is not sent to another: only the headers of `harmless` cross.
// U5  Bytes are counted after decompression, time from the call to the last byte over all hops.

import { lookup } from 'node:dns/promises'
import { Client, buildConnector, interceptors } from 'undici'
import { SluiceError } from '../../errors/index.ts'
import type { Dependency, Instruments, Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { timeout } from '../timeout.ts'
import { endCallSpan, startCallSpan } from './call-span.ts'
import { checkUrl, type Target } from './check-url.ts'
import { classifyAddress } from './classify-address.ts'
import { connectTo } from './connect-to.ts'
import { toOutboundError } from './outbound-error.ts'
import { nextHop, checkHeaders, type Hop } from './redirect.ts'
import { collectBody, flatHeaders, type ResponseHeaders } from './response.ts'

export interface UntrustedOutboundOptions {
  /** Name for metrics and messages. */
  readonly dependency: Dependency
  /** `host:port` pairs whose port and addresses are not checked. For tests and for hosts an operator vouches for. */
  readonly allow?: readonly string[]
  /** Largest body after decompression. Default 2 MiB. */
  readonly maxBytes?: number
  /** Largest head of an answer. Default 32 KiB. */
  readonly maxHeaderBytes?: number
  /** From the call to the last byte, all hops together, in milliseconds. Default 10 000. */
  readonly totalMs?: number
  /** Longest wait for one connection, in milliseconds. Default 3 000. */
  readonly connectMs?: number
  /** Default 3. */
  readonly maxRedirects?: number
}

export interface UntrustedOutboundDeps {
  readonly clock: Clock
  readonly instruments: Instruments
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
  /** All addresses of a name, as the system resolves it. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
  /** Opens one connection to an address. */
  readonly dial?: buildConnector.connector
}

export interface UntrustedRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface UntrustedResponse {
  readonly status: number
  /** Of the last hop. */
  readonly url: string
  readonly headers: ResponseHeaders
  readonly body: Buffer
  readonly redirects: number
}

export interface UntrustedOutbound {
  /**
   * @throws SluiceError `blocked_url`, `blocked_address` (nothing was sent), `invalid_request` (a header that only the
   * client may set), `response_too_large`, `dependency_timeout`, `dependency_failed`, or the reason of the signal.
   */
  request(request: UntrustedRequest, options: { readonly signal: AbortSignal }): Promise<UntrustedResponse>
}

export function createUntrustedOutbound(
  options: UntrustedOutboundOptions,
  deps: UntrustedOutboundDeps,
): UntrustedOutbound {
  const { dependency, allow = [], totalMs = 10_000, connectMs = 3_000, maxRedirects = 3 } = options
  const {
    clock,
    instruments,
    resolve = resolveBySystem,
    dial = buildConnector({ timeout: connectMs, allowH2: false }),
  } = deps
  const { maxBytes = 2 * 1_024 * 1_024, maxHeaderBytes = 32 * 1_024 } = options
  const allowed = new Set(allow)

  const addressesOf = async (target: Target): Promise<readonly string[]> => {
    const addresses = target.isAddress ? [target.host] : await resolve(target.host)
    if (addresses.length === 0) throw new SluiceError('dependency_failed', `${dependency}: the name has no address`)
    if (target.allowListed) return addresses
    for (const address of addresses) {
      const verdict = classifyAddress(address)
      if (!verdict.allowed) throw new SluiceError('blocked_address', `the host is not a public one (${verdict.range})`)
    }
    return addresses
  }

  const send = async (
    target: Target,
    hop: Hop,
    signal: AbortSignal,
  ): Promise<Omit<UntrustedResponse, 'url' | 'redirects'>> => {
    const addresses = await addressesOf(target)
    signal.throwIfAborted()
    const client = new Client(target.url.origin, {
      connect: connectTo(addresses, target, dial),
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: totalMs,
      bodyTimeout: totalMs,
      allowH2: false,
    })
    const inflating = client.compose(interceptors.decompress({ maxSize: maxBytes, skipErrorResponses: false }))
    try {
      const path = `${target.url.pathname}${target.url.search}`
      const answer = await inflating.request({
        path,
        method: hop.method,
        headers: hop.headers,
        body: hop.body ?? null,
        signal,
      })
      const body = await collectBody(answer.body, maxBytes, dependency)
      return { status: answer.statusCode, headers: flatHeaders(answer.headers), body }
    } finally {
      await client.destroy().catch(() => undefined)
    }
  }

  const follow = async (
    { url, method = 'GET', headers = {}, body }: UntrustedRequest,
    signal: AbortSignal,
  ): Promise<UntrustedResponse> => {
    let hop: Hop = { url, method, headers: checkHeaders(headers), body }
    for (let redirects = 0; ; redirects += 1) {
      const target = checkUrl(hop.url, allowed)
      const answer = await send(target, hop, signal)
      const next = nextHop(hop, target.url, answer)
      if (next === undefined) return { ...answer, url: target.url.href, redirects }
      if (redirects >= maxRedirects) throw new SluiceError('blocked_url', `more than ${maxRedirects} redirects`)
      hop = next
    }
  }

  return {
    request: async (request, { signal }) => {
      const begun = clock.monotonic()
      // Without the host: who chose the URL may have put anything into it.
      const span = startCallSpan({ dependency, method: request.method ?? 'GET', url: '' }, deps)
      const observe = (outcome: 'ok' | 'failed'): void =>
        instruments.outboundSeconds.observe({ dependency, outcome }, (clock.monotonic() - begun) / 1_000)
      try {
        const answer = await timeout({ ms: totalMs, what: dependency, signal }, { clock }, (bounded) =>
          follow(request, bounded).catch((error: unknown) => {
            throw toOutboundError(error, dependency, bounded)
          }),
        )
        observe('ok')
        endCallSpan(span, answer.status)
        return answer
      } catch (cause) {
        observe('failed')
        const error = toOutboundError(cause, dependency, signal)
        span?.end(error)
        throw error
      }
    },
  }
}

const resolveBySystem = async (host: string): Promise<readonly string[]> => {
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}
