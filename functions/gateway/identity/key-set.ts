// The public keys of the identity provider, as it publishes them (JWKS, RFC 7517 §5).
//
// K1  Keys are kept, and asked for again every 30 s while tokens come: a key that the provider has added or withdrawn counts as
//     such within a minute.
// K2  Whatever tokens name, the provider is asked no more often than that, and by one call at a time that all who wait share.
// K3  While it does not answer, the keys that are known go on, for 15 minutes; then nobody is let in. That is an outage and not
//     a refusal, and so is a key that is not known while it does not answer.

import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { errorLabel, messageOf, SluiceError } from '../../../shared/errors/index.ts'
import type { Component } from '../../../shared/lifecycle/index.ts'
import { createBreaker, createOutbound } from '../../../shared/resilience/index.ts'
import type { Instruments, Logger, Tracer } from '../../../shared/telemetry/index.ts'
import type { Clock } from '../../../shared/time/index.ts'

export interface KeySet extends Component {
  /** The key that a token names. @throws SluiceError `identity_unavailable`, or what jose throws when there is none. */
  readonly find: JWTVerifyGetKey
}

export interface KeySetDeps {
  readonly clock: Clock
  readonly instruments: Instruments
  readonly log: Logger
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
}

const dependency = 'jwks'
/** From one answer to the next call. */
const renewMs = 30_000
/** From a failure to the next call: until then some may be kept out. */
const retryMs = 5_000
/** Keys older than this are used only while the provider does not answer. */
const freshMs = 60_000
const staleMs = 15 * 60_000
const callMs = 3_000
const mostBytes = 256 * 1_024

interface Known {
  readonly find: JWTVerifyGetKey
  readonly at: number
}

/** `asked`: monotonic time of the last call. */
type LastCall = { readonly outcome: 'none' } | { readonly outcome: 'ok' | 'failed'; readonly asked: number }

export function createKeySet({ url }: { readonly url: string }, deps: KeySetDeps): KeySet {
  const { clock, log } = deps
  const outbound = createOutbound({ dependency, connectMs: callMs, headersMs: callMs, bodyIdleMs: callMs }, deps)
  const breaker = createBreaker({ dependency, timeoutMs: callMs, capacity: 1, volumeThreshold: 3 }, deps)
  let known: Known | undefined
  let last: LastCall = { outcome: 'none' }
  let running: Promise<void> | undefined

  const fetchKeys = (): Promise<JWTVerifyGetKey> =>
    breaker.run(async ({ signal }) => {
      const headers = { accept: 'application/jwk-set+json, application/json' }
      const answer = await outbound.request({ method: 'GET', url, headers }, { signal })
      if (answer.status === 200) return readKeys(await answer.bytes(mostBytes))
      await answer.discard()
      throw new SluiceError('dependency_failed', `${dependency}: answered ${answer.status}`)
    })

  async function ask(): Promise<void> {
    const asked = clock.monotonic()
    try {
      known = { find: await fetchKeys(), at: asked }
      last = { outcome: 'ok', asked }
    } catch (error) {
      last = { outcome: 'failed', asked }
      log.warn({ code: errorLabel(error), reason: messageOf(error) }, 'the keys of the identity provider were not had')
    }
    running = undefined
  }

  const isDue = (): boolean =>
    last.outcome === 'none' || clock.monotonic() - last.asked >= (last.outcome === 'ok' ? renewMs : retryMs)

  /** Begins a call when one is due, and waits for it where the keys that are known should not be used before. */
  async function renew(): Promise<void> {
    if (running === undefined && isDue()) running = ask()
    const now = clock.monotonic()
    const age = known === undefined ? Infinity : now - known.at
    const isAway = last.outcome === 'failed' && now - last.asked < renewMs
    if (age > staleMs || (age > freshMs && !isAway)) await running
  }

  function current(): Known {
    if (known !== undefined && clock.monotonic() - known.at <= staleMs) return known
    throw unavailable()
  }

  return {
    name: dependency,
    find: async (header, token) => {
      await renew()
      try {
        return await current().find(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      }
      await running // a call that goes on may bring it
      if (last.outcome === 'failed') throw unavailable()
      return current().find(header, token)
    },
    start: async () => undefined,
    stop: async () => {
      breaker.stop()
      await outbound.stop()
    },
    health: () => ({ status: last.outcome === 'none' ? 'unknown' : last.outcome === 'ok' ? 'up' : 'down' }),
  }
}

/** @throws SluiceError `dependency_failed` for what is no key set. */
function readKeys(bytes: Buffer): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(JSON.parse(bytes.toString()))
  } catch (cause) {
    throw new SluiceError('dependency_failed', `${dependency}: the answer is no key set`, { cause })
  }
}

const unavailable = (): SluiceError =>
  new SluiceError('identity_unavailable', 'The keys of the identity provider cannot be had', { retryAfterMs: retryMs })
