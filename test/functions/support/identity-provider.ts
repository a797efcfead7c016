// An identity provider as tests want it: signs tokens, publishes its keys over HTTP, turns keys over and goes away when told to.

import type { ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { startLoopbackServer } from '../../support/index.ts'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

export interface TokenParts {
  readonly key?: SigningKey
  readonly header?: Readonly<Record<string, unknown>>
  /** Seconds since the epoch at which it ends. Default: in five minutes. */
  readonly exp?: number
}

export interface IdentityProvider {
  readonly key: SigningKey
  /** For the gateway. */
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  /** How often the keys were asked for. */
  asked(): number
  publish(...keys: readonly SigningKey[]): void
  /** Answers like this from now on; undefined: with the keys. */
  answerWith(answer: ((response: ServerResponse) => void) | undefined): void
  /** A good token, but for what is given; a claim of undefined is left out. */
  token(claims?: Readonly<Record<string, unknown>>, parts?: TokenParts): Promise<string>
}

export const issuer = 'https://issuer.example/'
export const audience = 'sluice'

export async function createKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export async function startIdentityProvider(t: TestContext): Promise<IdentityProvider> {
  const key = await createKey('first')
  let published: readonly SigningKey[] = [key]
  let special: ((response: ServerResponse) => void) | undefined
  const server = await startLoopbackServer(t, (_request, response) => {
    if (special !== undefined) return special(response)
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }))
  })
  const url = `${server.url}/keys`
  return {
    key,
    url,
    env: { AUTH_MODE: 'jwt', JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: url, SLUICE_HOST: '127.0.0.1' },
    asked: () => server.requests.length,
    publish: (...keys) => {
      published = keys
    },
    answerWith: (answer) => {
      special = answer
    },
    token: (claims = {}, { key: by = key, header = {}, exp = nowSeconds() + 300 } = {}) =>
      new SignJWT({ iss: issuer, aud: audience, sub: 'someone', tenant: 'acme', exp, ...claims })
        .setProtectedHeader({ alg: by.alg, kid: by.kid, typ: 'at+jwt', ...header })
        .sign(by.privateKey),
  }
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export const bearer = (token: string): { readonly authorization: string } => ({ authorization: `Bearer ${token}` })
