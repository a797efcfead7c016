// Who calls. The tenant comes from here and from nowhere else: a header that claims one is ignored, and noted.

import type { FastifyRequest } from 'fastify'
import type { Logger } from '../../../shared/telemetry/index.ts'

export interface Identity {
  readonly tenant: string
  /** May it use the admin routes? */
  readonly isOperator: boolean
  /** Wall clock, milliseconds since the epoch, at which the proof runs out. */
  readonly untilMs?: number
}

/** @throws SluiceError `unauthenticated`, `forbidden`, `tenant_invalid`, `identity_unavailable`. */
export type Identify = (request: FastifyRequest) => Promise<Identity>

/** Looks once at a request, however often it is asked. */
export function identifyOnce(identify: Identify): Identify {
  const known = new WeakMap<FastifyRequest, Promise<Identity>>()
  return (request) => {
    const identity = known.get(request) ?? identify(request)
    known.set(request, identity)
    return identity
  }
}

/** Headers by which callers of other systems say who they are. */
const claims = ['x-tenant-id', 'x-user-id', 'x-internal-token', 'x-persona-id'] as const

/** Names of the headers that claim one. */
export const claimedIdentity = (headers: FastifyRequest['headers']): readonly string[] =>
  claims.filter((name) => headers[name] !== undefined)

export function noteClaims({ headers, trace }: FastifyRequest, log: Logger): void {
  const claimed = claimedIdentity(headers)
  if (claimed.length > 0)
    log.warn(
      { trace_id: trace.traceId, security: 'identity_claim_ignored', claimed },
      'a header claimed an identity and was ignored',
    )
}
