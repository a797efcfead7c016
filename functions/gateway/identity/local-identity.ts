// AUTH_MODE=local: everybody on this machine is tenant "local" and an operator.
//
// It trusts whoever reaches the loopback address, and a browser on this machine reaches it for every page that it shows. So a
// request must name a loopback host (a page whose name was made to resolve to 127.0.0.1 names its own: DNS rebinding) and, where
// it names an origin, one on this machine.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { namesThisMachine } from '../../../shared/function/index.ts'
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
    refuseStranger(request, log)
    noteClaims(request, log)
    return { tenant: 'local', isOperator: true }
  }
}

/** @throws SluiceError `forbidden` for what a page of the web sends through the browser of this machine. */
function refuseStranger({ headers, trace }: FastifyRequest, log: Logger): void {
  const header = strangeHeader(headers)
  if (header === undefined) return
  log.warn({ trace_id: trace.traceId, security: 'stranger_refused', header }, 'a request names another machine')
  throw new SluiceError('forbidden', `AUTH_MODE=local is for this machine only, and ${header} names another`, {
    details: { detail: `${header} names another machine, and AUTH_MODE=local serves its own only` },
  })
}

function strangeHeader({ host, origin }: FastifyRequest['headers']): 'Host' | 'Origin' | undefined {
  if (!namesThisMachine({ host })) return 'Host'
  return origin === undefined || namesThisMachine({ host: URL.parse(origin)?.host ?? '' }) ? undefined : 'Origin'
}
