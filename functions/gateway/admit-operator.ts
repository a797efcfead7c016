// Who may use the admin routes, and nobody because a header says so. In local mode everybody on this machine may, but no web page
// that a browser happens to show. With tokens, operators are those whose token has the scope; a browser adds no token to a request
// by itself, so no page can make it act for an operator. Every refusal and every change is in the log, marked `security`.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../../shared/config/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import { claimedIdentity, type Identify, type Identity } from './identity/identity.ts'
import { loopbackHosts } from './identity/local-identity.ts'

/** @throws SluiceError `forbidden`, or what identifying throws. */
export type AdmitOperator = (request: FastifyRequest) => Promise<Identity>

export function createAdmitOperator(
  { authMode }: Pick<Config, 'authMode'>,
  { identify, log }: { readonly identify: Identify; readonly log: Logger },
): AdmitOperator {
  return async (request) => {
    const facts = { trace_id: request.trace.traceId, route: `${request.method} ${request.routeOptions.url ?? ''}` }
    const refuse = (reason: string): never => {
      log.warn({ ...facts, security: 'admin_refused', reason }, 'an admin request was refused')
      throw new SluiceError('forbidden', `The admin routes refuse this request: ${reason}`)
    }
    const strange = authMode === 'local' ? strangeness(request) : undefined
    if (strange !== undefined) refuse(strange)
    const identity = await identify(request)
    if (!identity.isOperator) refuse('the token has not the scope of operators')
    if (request.method !== 'GET')
      log.info({ ...facts, security: 'admin_action', tenant: identity.tenant }, 'an operator acts')
    return identity
  }
}

function strangeness({ headers }: FastifyRequest): string | undefined {
  if (claimedIdentity(headers).length > 0) return 'a header claims an identity, which gives no rights here'
  const { host = '', origin } = headers
  // A name that resolves to this machine, but is not its own, is how a page from elsewhere gets a "same" origin.
  if (!loopbackHosts.has(hostnameOf(`http://${host}`))) return 'the host is not this machine'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'it comes from another site'
  if (origin !== undefined && origin !== `http://${host}`) return 'it comes from another origin'
  return undefined
}

const hostnameOf = (url: string): string => URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? ''
