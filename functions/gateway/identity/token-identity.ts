// AUTH_MODE=jwt: who calls is what a signed token says (RFC 7519, with the advice of RFC 8725).
//
// T1  Only asymmetric algorithms, from a list. Keys come from the configured URL: what a token says of keys (`jku`, `jwk`, `x5u`,
//     `x5c`) is not looked at, and its `kid` only picks one.
// T2  A token names our issuer and audience, has begun and ends, within a month: one that never ends is a password.
// T3  Unsure means no: a token that is not understood is refused. That keys cannot be had is an outage, and told as one.
// T4  No part of a token is in a log or an answer; of the reason for a refusal, the name alone.

import type { FastifyRequest } from 'fastify'
import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import type { Config } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { isTenant } from '../../../shared/function/index.ts'
import type { Logger } from '../../../shared/telemetry/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import { noteClaims, type Identify, type Identity } from './identity.ts'
import type { KeySet } from './key-set.ts'

type TokenOptions = Pick<
  Config,
  'jwtIssuer' | 'jwtAudience' | 'jwtTenantClaim' | 'jwtOperatorScope' | 'jwtClockToleranceMs'
>

export interface TokenIdentityDeps {
  readonly keys: Pick<KeySet, 'find'>
  readonly clock: Clock
  readonly log: Logger
}

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Of access tokens: RFC 9068, and what issuers wrote before. Logout tokens, for one, have another. */
const accessTokenTypes = new Set([undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'])
const longestToken = 8_192
const longestLifeSeconds = 31 * 86_400
const bearer = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

export function createTokenIdentity(options: TokenOptions, { keys, clock, log }: TokenIdentityDeps): Identify {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtTenantClaim, jwtOperatorScope, jwtClockToleranceMs } = options
  const clockTolerance = jwtClockToleranceMs / 1_000

  const verify = async (token: string): Promise<JWTPayload> => {
    const currentDate = new Date(clock.now())
    const rules: JWTVerifyOptions = {
      issuer,
      audience,
      algorithms,
      clockTolerance,
      currentDate,
      requiredClaims: ['exp'],
    }
    const { payload, protectedHeader } = await jwtVerify(token, keys.find, rules)
    if (!accessTokenTypes.has(protectedHeader.typ?.toLowerCase())) throw refused('type')
    if (endOf(payload) > clock.now() / 1_000 + longestLifeSeconds) throw refused('lifetime')
    return payload
  }

  const identityOf = (payload: JWTPayload): Identity => {
    const tenant = payload[jwtTenantClaim]
    if (!isTenant(tenant))
      throw new SluiceError('tenant_invalid', `The claim ${jwtTenantClaim} of the token must name the tenant`)
    return {
      tenant,
      isOperator: scopesOf(payload).includes(jwtOperatorScope),
      untilMs: endOf(payload) * 1_000 + jwtClockToleranceMs,
    }
  }

  return async (request) => {
    noteClaims(request, log)
    const token = tokenOf(request)
    try {
      return identityOf(await verify(token))
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'identity_unavailable') throw error
      log.warn(
        { trace_id: request.trace.traceId, security: 'token_refused', reason: reasonOf(error) },
        'a token was refused',
      )
      throw error instanceof SluiceError ? error : refused(error instanceof errors.JWTExpired ? 'expired' : 'token')
    }
  }
}

/** @throws SluiceError `unauthenticated`; `malformed_request` for two of them, of which others may believe the other. */
function tokenOf({ headers: { authorization }, raw: { headersDistinct } }: FastifyRequest): string {
  if (authorization === undefined) throw new SluiceError('unauthenticated', 'The request has no token')
  if ((headersDistinct['authorization'] ?? []).length > 1)
    throw new SluiceError('malformed_request', 'The request has two Authorization fields')
  const token = authorization.length > longestToken ? undefined : bearer.exec(authorization)?.[1]
  if (token === undefined || !token.split('.').every(isCanonical)) throw refused('token')
  return token
}

/** Node reads more than one spelling of the same bytes. */
const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part

const endOf = ({ exp = Infinity }: JWTPayload): number => exp

/** `scope` is of RFC 8693, `scp` what others call it. */
function scopesOf({ scope, scp }: JWTPayload): readonly unknown[] {
  return [scope, scp].flatMap((value) =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [],
  )
}

const details = {
  token: 'the token is not valid',
  expired: 'the token has expired',
  type: 'the token is not one for access',
  lifetime: 'the token ends too late',
} as const

/** What a caller should not learn from a refusal is why a signature did not fit. */
const refused = (reason: keyof typeof details): SluiceError =>
  new SluiceError('unauthenticated', `Refused: ${details[reason]}`, { details: { detail: details[reason] } })

/** Names of jose and of claims that it checks, none of which the caller chose. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired)
    return `${error.code} ${error.claim}`
  if (error instanceof errors.JOSEError) return error.code
  return error instanceof SluiceError ? error.message : 'not understood'
}
