// The one way of knowing who calls that AUTH_MODE asks for, and whether everything for it is given.

import type { Config } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { Component } from '../../../shared/lifecycle/index.ts'
import type { Identify } from './identity.ts'
import { createKeySet, type KeySetDeps } from './key-set.ts'
import { createLocalIdentity, loopbackHosts } from './local-identity.ts'
import { createTokenIdentity } from './token-identity.ts'

export interface Identification {
  readonly identify: Identify
  readonly components: readonly Component[]
}

/** @throws SluiceError `invalid_option`, naming what is missing or would let strangers in. */
export function createIdentify(config: Config, deps: KeySetDeps): Identification {
  if (config.authMode === 'local') return { identify: createLocalIdentity(config, deps), components: [] }
  requireOption('JWT_ISSUER', config.jwtIssuer)
  requireOption('JWT_AUDIENCE', config.jwtAudience)
  requireOption('JWT_JWKS_URL', config.jwtJwksUrl)
  requireSafeUrl(config.jwtJwksUrl)
  const keys = createKeySet({ url: config.jwtJwksUrl }, deps)
  return { identify: createTokenIdentity(config, { ...deps, keys }), components: [keys] }
}

function requireOption(variable: string, value: string): void {
  if (value === '') throw new SluiceError('invalid_option', `AUTH_MODE=jwt needs ${variable}, which is not set`)
}

/** Whoever can change the keys on their way can be anybody. */
function requireSafeUrl(url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || loopbackHosts.has(hostname.replace(/^\[|\]$/g, ''))) return
  throw new SluiceError('invalid_option', 'JWT_JWKS_URL must be an https URL, outside this machine')
}
