// Who calls. The tenant comes from here and from nowhere else: a header that claims one is ignored, and noted.
//
// Local mode trusts whoever reaches the loopback address, and a browser on this machine reaches it for every page that it
// shows. So a request must name a loopback host (a page whose name was made to resolve to 127.0.0.1 names its own: DNS
// rebinding) and, where it names an origin, one on this machine.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../../shared/config/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'

export interface Identity {
  readonly tenant: string
}

export type Identify = (request: FastifyRequest) => Identity

/** Names by which this machine calls itself. */
export const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws SluiceError `invalid_option` when local mode would be reachable from other machines. */
export function createIdentify(
  { authMode, host }: Pick<Config, 'authMode' | 'host'>,
  { log }: { readonly log: Logger },
): Identify {
  if (!loopbackHosts.has(host)) {
    throw new SluiceError(
      'invalid_option',
      `AUTH_MODE=${authMode} trusts every caller, so it needs a loopback address; SLUICE_HOST is ${host}`,
    )
  }
  return (request) => {
    refuseStrangers(request)
    noteClaims(request, log)
    return { tenant: 'local' }
  }
}

/** @throws SluiceError `forbidden` for what a page of the web sends through the browser of this machine. */
function refuseStrangers({ headers: { host, origin } }: FastifyRequest): void {
  if (host !== undefined && !isLocal(`http://${host}`)) throw stranger('Host')
  if (origin !== undefined && !isLocal(origin)) throw stranger('Origin')
}

const isLocal = (url: string): boolean => loopbackName.test(URL.parse(url)?.hostname ?? '')

const loopbackName = /^(?:(?:[a-z0-9-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

const stranger = (header: string): SluiceError =>
  new SluiceError('forbidden', `AUTH_MODE=local is for this machine only, and ${header} names another`, {
    details: { detail: `${header} names another machine, and AUTH_MODE=local serves its own only` },
  })

/** Headers by which callers of other systems say who they are. */
const claims = ['x-tenant-id', 'x-user-id', 'x-internal-token', 'x-persona-id'] as const

/** Names of the headers that claim one. */
export const claimedIdentity = (headers: FastifyRequest['headers']): readonly string[] =>
  claims.filter((name) => headers[name] !== undefined)

function noteClaims({ headers, trace }: FastifyRequest, log: Logger): void {
  const claimed = claimedIdentity(headers)
  if (claimed.length > 0)
    log.warn(
      { trace_id: trace.traceId, security: 'identity_claim_ignored', claimed },
      'a header claimed an identity and was ignored',
    )
}
