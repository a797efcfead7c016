// AUTH_MODE=local: everybody on this machine is tenant "local" and an operator.
//
// It trusts whoever reaches the loopback address, and a browser on this machine reaches it for every page that it shows. So a
// request must name a loopback host (a page whose name was made to resolve to 127.0.0.1 names its own: DNS rebinding) and, where
// it names an origin, one on this machine.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { Logger } from '../../../shared/telemetry/index.ts'
import { noteClaims, type Identify } from './identity.ts'

/** Names by which this machine calls itself. */
export const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws SluiceError `invalid_option` when it would be reachable from other machines. */
export function createLocalIdentity({ host }: Pick<Config, 'host'>, { log }: { readonly log: Logger }): Identify {
  if (!loopbackHosts.has(host)) {
    throw new SluiceError(
      'invalid_option',
      `AUTH_MODE=local trusts every caller, so it needs a loopback address; SLUICE_HOST is ${host}. AUTH_MODE=jwt is for other machines`,
    )
  }
  return async (request) => {
    refuseStrangers(request)
    noteClaims(request, log)
    return { tenant: 'local', isOperator: true }
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
