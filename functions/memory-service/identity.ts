// Whose memory it is. memory-service is internal: its callers are functions, and each says for which tenant it asks. That is
// believed from loopback, or from whoever has the token; the service does not start where neither is given. A page of the web
// reaches loopback through the browser of this machine, so without a token Host must be a name of this machine.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../shared/config/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { isTenant, namesThisMachine } from '../../shared/function/index.ts'
import { memoryTenantHeader } from '../../shared/memory/index.ts'

export interface Identity {
  readonly tenant: string
}

/** @throws SluiceError `unauthenticated`, `tenant_invalid`, `forbidden`. */
export type Identify = (request: FastifyRequest) => Identity

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws SluiceError `invalid_option` when other machines could reach it without a token. */
export function createIdentify({ memoryServiceToken, host }: Pick<Config, 'memoryServiceToken' | 'host'>): Identify {
  if (memoryServiceToken === undefined && !loopback.has(host)) {
    throw new SluiceError(
      'invalid_option',
      `memory-service believes its callers, so it needs a loopback address or MEMORY_SERVICE_TOKEN; SLUICE_HOST is ${host}`,
    )
  }
  const expected = memoryServiceToken === undefined ? undefined : digest(`Bearer ${memoryServiceToken.reveal()}`)
  return ({ headers }) => {
    if (expected === undefined && !namesThisMachine(headers))
      throw new SluiceError(
        'forbidden',
        'Without a token memory-service is for this machine only, and Host names another',
      )
    // Digests have one length, so the comparison tells nothing about the token's.
    if (expected !== undefined && !timingSafeEqual(expected, digest(headers.authorization ?? ''))) {
      throw new SluiceError('unauthenticated', 'The token is missing or wrong')
    }
    const tenant = headers[memoryTenantHeader]
    if (isTenant(tenant)) return { tenant }
    throw new SluiceError('tenant_invalid', `The header ${memoryTenantHeader} must name the tenant`)
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
