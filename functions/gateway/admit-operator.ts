// Who may use the admin routes. In local mode everybody on this machine may – but no web page that a browser happens to show, and
// nobody because a header says so. Every refusal and every change is in the log, marked `security`.

import type { FastifyRequest } from 'fastify'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import { claimedIdentity, loopbackHosts, type Identify, type Identity } from './identity.ts'

/** @throws SluiceError `forbidden`. */
export type AdmitOperator = (request: FastifyRequest) => Identity

export const createAdmitOperator =
  (identify: Identify, { log }: { readonly log: Logger }): AdmitOperator =>
  (request) => {
    const reason = refusalOf(request)
    const facts = { trace_id: request.trace.traceId, route: `${request.method} ${request.routeOptions.url ?? ''}` }
    if (reason !== undefined) {
      log.warn({ ...facts, security: 'admin_refused', reason }, 'an admin request was refused')
      throw new SluiceError('forbidden', `The admin routes refuse this request: ${reason}`)
    }
    const identity = identify(request)
    if (request.method !== 'GET')
      log.info({ ...facts, security: 'admin_action', tenant: identity.tenant }, 'an operator acts')
    return identity
  }

function refusalOf({ headers }: FastifyRequest): string | undefined {
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
