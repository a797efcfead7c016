// The gateway with AUTH_MODE=jwt, a real identity provider beside it.

import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose'
import { createLogger } from '../../../../shared/telemetry/index.ts'
import { startLoopbackServer } from '../../../support/index.ts'
import { call, post, watch, type Answer } from '../../support/client.ts'
import { createSession, startGateway, storeEvents, type GatewayServer } from '../../support/gateway-server.ts'
import {
  audience,
  bearer,
  createKey,
  issuer,
  nowSeconds,
  startIdentityProvider,
  type IdentityProvider,
  type TokenParts,
} from '../../support/identity-provider.ts'

const limit = { timeout: 60_000 }

interface Parts {
  readonly provider: IdentityProvider
  readonly gateway: GatewayServer
  readonly url: string
  /** Everything that was logged. */
  readonly logged: () => string
}

async function start(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Parts> {
  const provider = await startIdentityProvider(t)
  const lines: string[] = []
  const log = createLogger({ function: 'test', level: 'trace' }, { write: (line) => void lines.push(line) })
  const gateway = await startGateway(t, { env: { ...provider.env, ...env }, log })
  return { provider, gateway, url: gateway.url, logged: () => lines.join('') }
}

const withHeader = (url: string, authorization: string): Promise<Answer> =>
  call(`${url}/v1/sessions`, { headers: { authorization } })
const withToken = (url: string, token: string): Promise<Answer> => withHeader(url, `Bearer ${token}`)

const shown = ({ status, body }: Answer): readonly unknown[] => (status === 200 ? [200] : [status, body['code']])

const refused = [401, 'unauthenticated']
const forged = 'no-claim-may-appear'

test('a token is taken when all of it is right, and refused with 401 when anything is not', limit, async (t) => {
  const { provider, url, logged } = await start(t, { JWT_CLOCK_TOLERANCE_MS: '10000' })
  const other = await createKey('other')
  const sameKid = { ...other, kid: provider.key.kid }
  const es256 = await createKey('es256', 'ES256')
  const ed25519 = await createKey('ed25519', 'EdDSA')
  provider.publish(provider.key, es256, ed25519)
  const now = nowSeconds()
  const claims = { iss: issuer, aud: audience, tenant: 'acme', exp: now + 300, sub: forged }
  const pem = createSecretKey(Buffer.from(await exportSPKI(provider.key.publicKey)))
  const good = await provider.token()
  const [head = '', body = '', signature = ''] = good.split('.')
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (more: Readonly<Record<string, unknown>> = {}, parts: TokenParts = {}): Promise<string> =>
    provider.token({ sub: forged, ...more }, parts)
  // What the same bytes look like when their last, unused bits are set: Node reads both.
  const otherSpelling = `${good.slice(0, -1)}${String.fromCodePoint((good.codePointAt(good.length - 1) ?? 0) + 1)}`

  const cases: readonly (readonly [string, string | Promise<string>, readonly unknown[]])[] = [
    ['RS256', good, [200]],
    ['ES256', signed({}, { key: es256 }), [200]],
    ['EdDSA', signed({}, { key: ed25519 }), [200]],
    ['without a kid, where one key fits', signed({}, { key: es256, header: { kid: undefined } }), [200]],
    ['of type JWT', signed({}, { header: { typ: 'JWT' } }), [200]],
    ['without a type', signed({}, { header: { typ: undefined } }), [200]],
    ['for several audiences, ours among them', signed({ aud: ['x', audience] }), [200]],
    ['ended within the tolerance', signed({}, { exp: now - 5 }), [200]],
    ['begins within the tolerance', signed({ nbf: now + 5 }), [200]],

    ['30: alg none', new UnsecuredJWT(claims).encode(), refused],
    ['30: alg none with a signature', `${encoded({ alg: 'none' })}.${body}.${signature}`, refused],
    ['30: alg empty', `${encoded({ alg: '' })}.${body}.${signature}`, refused],
    [
      '31: HS256 with the public key as the secret',
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: provider.key.kid }).sign(pem),
      refused,
    ],
    ['32: unknown kid', signed({}, { key: other }), refused],
    ['32: kid of another key', signed({}, { key: sameKid }), refused],
    ['32: kid like a path', signed({}, { header: { kid: '../../etc/passwd' } }), refused],
    [
      '34: crit',
      `${encoded({ alg: 'RS256', kid: 'first', crit: ['exotic'], exotic: 1 })}.${body}.${signature}`,
      refused,
    ],
    ['34: a JWE', `${head}.${body}.${signature}.${body}.${signature}`, refused],
    ['35: no signature', `${head}.${body}.`, refused],
    ['35: r = s = 0', (await signed({}, { key: es256 })).replace(/[^.]+$/, 'A'.repeat(86)), refused],
    ['35: another spelling of the same bytes', otherSpelling, refused],
    ['36: ended', signed({}, { exp: now - 3_600 }), refused],
    ['36: ends too late', signed({}, { exp: 1e18 }), refused],
    ['36: without an end', signed({ exp: undefined }), refused],
    ['36: end that is text', signed({ exp: String(now + 300) }), refused],
    ['36: not yet', signed({ nbf: now + 3_600 }), refused],
    ['37: other audience', signed({ aud: 'another' }), refused],
    ['37: no audience', signed({ aud: undefined }), refused],
    ['37: other issuer', signed({ iss: 'https://evil.example/' }), refused],
    ['37: issuer but for the last letter', signed({ iss: issuer.slice(0, -1) }), refused],
    ['37: no issuer', signed({ iss: undefined }), refused],
    ['37: a logout token', signed({}, { header: { typ: 'logout+jwt' } }), refused],
    ['39: too long', signed({ padding: 'x'.repeat(8_000) }), refused],
    [
      'other claims under the old signature',
      `${head}.${encoded({ ...claims, tenant: 'globex' })}.${signature}`,
      refused,
    ],
    ['garbage', 'garbage', refused],

    ...[
      '',
      '*',
      'Acme',
      ' acme',
      'acme ',
      'аcme',
      'a/b',
      'a:b',
      'x'.repeat(64),
      ['acme'],
      { a: 1 },
      7,
      null,
      undefined,
    ].map((tenant) => [`38: tenant ${JSON.stringify(tenant)}`, signed({ tenant }), [403, 'tenant_invalid']] as const),
  ]
  const told: string[] = []
  const secrets = [forged, 'evil.example', 'globex', 'Acme', 'passwd', 'exotic']
  for (const [what, token, expected] of cases) {
    const answer = await withToken(url, await token)
    assert.deepEqual(shown(answer), expected, what)
    if (answer.status === 200) continue
    told.push(JSON.stringify([answer.body, ...answer.headers]))
    secrets.push((await token).slice(-24))
  }
  const everything = `${logged()}${told.join('')}`
  for (const value of secrets) assert.ok(!everything.includes(value), `${value} was told`)
  assert.match(everything, /"security":"token_refused","reason":"ERR_JWT_CLAIM_VALIDATION_FAILED iss"/)
})

test('what is no bearer token is 401, and every 401 says what is wanted', limit, async (t) => {
  const { provider, url } = await start(t)
  const token = await provider.token()
  const none = await call(`${url}/v1/sessions`)
  assert.deepEqual([shown(none), none.headers.get('www-authenticate')], [refused, 'Bearer'])
  for (const authorization of [
    'Bearer',
    `Basic ${token}`,
    token,
    `Bearer ${token} x`,
    `Bearer "${token}"`,
    'Bearer a.b',
  ]) {
    const answer = await withHeader(url, authorization)
    assert.deepEqual([shown(answer), answer.headers.get('www-authenticate')], [refused, 'Bearer error="invalid_token"'])
  }
  assert.equal((await withHeader(url, `bearer ${token}`)).status, 200, 'names of schemes have no case')
  const inQuery = await call(`${url}/v1/session/x/events?access_token=${token}`)
  assert.ok(inQuery.status === 401 || inQuery.status === 422)
  assert.equal((await call(`${url}/v1/sessions`, { headers: { cookie: `jwt=${token}` } })).status, 401)
  const expired = await withToken(url, await provider.token({}, { exp: nowSeconds() - 3_600 }))
  assert.equal(expired.body['detail'], 'the token has expired')
  for (const open of ['/live', '/ready', '/openapi.json']) assert.equal((await call(`${url}${open}`)).status, 200, open)
})

test('39: two Authorization fields are 400: others may believe the other one', limit, async (t) => {
  const { provider, url } = await start(t)
  const [one, two] = [await provider.token(), await provider.token({ tenant: 'globex' })]
  const { hostname, port } = new URL(url)
  const head = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `GET /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${one}\r\nAuthorization: Bearer ${two}\r\nConnection: close\r\n\r\n`,
      ),
    )
    socket.once('data', (bytes) => resolve(bytes.toString())).once('error', reject)
  })
  assert.match(head, /^HTTP\/1\.1 400 .*malformed_request/s)
})

test('who is not known is refused before the body is read, and looked at once', limit, async (t) => {
  const { provider, url, logged } = await start(t)
  const { hostname, port } = new URL(url)
  const head = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        'POST /v1/session/message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
      ),
    )
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(bytes.toString())
    })
    socket.once('error', reject)
  })
  assert.match(head, /^HTTP\/1\.1 401 /)
  const known = bearer(await provider.token())
  assert.equal((await post(`${url}/v1/session/message`, '{"message":', known)).status, 400)
  assert.equal((await call(`${url}/v1/nowhere`)).status, 404)
  assert.equal((await call(`${url}/v1/sessions`, { headers: { ...known, 'x-tenant-id': 'a' } })).status, 200)
  assert.equal(logged().split('identity_claim_ignored').length, 2)
})

test('33: keys that a token brings along or points at are not looked at', limit, async (t) => {
  const { provider, url } = await start(t)
  const own = await createKey(provider.key.kid)
  const elsewhere = await startLoopbackServer(t, (_request, response) =>
    response.end(JSON.stringify({ keys: [own.jwk] })),
  )
  for (const header of [{ jku: elsewhere.url }, { x5u: elsewhere.url }, { jwk: own.jwk }, { x5c: ['AAAA'] }])
    assert.deepEqual(shown(await withToken(url, await provider.token({}, { key: own, header }))), refused)
  assert.deepEqual([elsewhere.requests.length, provider.asked()], [0, 1])
})

test('without the keys it is 503 and not 401', limit, async (t) => {
  const { provider, url, logged } = await start(t)
  provider.answerWith((response) => response.destroy())
  const away = await withToken(url, await provider.token())
  assert.deepEqual([shown(away), away.headers.get('retry-after')], [[503, 'identity_unavailable'], '5'])
  assert.equal((await call(`${url}/v1/sessions`)).status, 401, 'who has no token is refused all the same')
  assert.equal((await call(`${url}/ready`)).status, 200)
  assert.doesNotMatch(logged(), /token_refused/, 'nobody knows whether it is good')
})

test('the provider may go away once its keys are known', limit, async (t) => {
  const { provider, url } = await start(t)
  assert.equal((await withToken(url, await provider.token())).status, 200)
  provider.answerWith((response) => response.destroy())
  assert.equal((await withToken(url, await provider.token())).status, 200)
})

test(
  'W-21, W-22, W-23: a tenant sees and changes its own sessions only, whatever its headers say',
  limit,
  async (t) => {
    const { provider, gateway, url, logged } = await start(t)
    const acme = bearer(await provider.token({ tenant: 'acme' }))
    const globex = {
      ...bearer(await provider.token({ tenant: 'globex', scope: 'sluice:operator' })),
      'x-tenant-id': 'acme',
      'x-user-id': 'root',
    }
    const { status, body } = await post(`${url}/v1/session/message`, { message: 'hello' }, acme)
    assert.equal(status, 202)
    const id = String(body['session_id'])
    const { rows } = await gateway.database.query('SELECT tenant FROM agent.session')
    assert.deepEqual(rows, [{ tenant: 'acme' }])

    assert.equal((await call(`${url}/v1/sessions/${id}`, { headers: acme })).status, 200)
    assert.deepEqual((await call(`${url}/v1/sessions`, { headers: globex })).body['sessions'], [])
    const foreign = [
      call(`${url}/v1/sessions/${id}`, { headers: globex }),
      call(`${url}/v1/sessions/${id}/events`, { headers: globex }),
      call(`${url}/v1/session/${id}/events`, { headers: globex }),
      post(`${url}/v1/session/message`, { message: 'hello', session_id: id }, globex),
      post(`${url}/v1/session/action`, { action: 'cancel', session_id: id }, globex),
    ]
    for (const answer of await Promise.all(foreign)) assert.deepEqual(shown(answer), [404, 'not_found'])
    assert.match(logged(), /"security":"identity_claim_ignored","claimed":\["x-tenant-id","x-user-id"\]/)
  },
)

test('a stream ends with its token, and says when to come back', limit, async (t) => {
  const { provider, gateway, url } = await start(t, { JWT_CLOCK_TOLERANCE_MS: '0' })
  const id = await createSession(gateway.database, 'watched', 'acme')
  await storeEvents(gateway.database, id, { types: ['conversation.turn.started.v1'] })
  const path = `${url}/v1/session/${id}/events`
  assert.equal((await call(path)).status, 401)
  const exp = nowSeconds() + 8
  const short = await watch(t, path, bearer(await provider.token({}, { exp })))
  const long = await watch(t, path, bearer(await provider.token()))
  await short.ended
  assert.ok(Date.now() >= exp * 1_000 - 50, 'it ended with the token and not before')
  assert.deepEqual([short.durable().length, short.retries], [1, [1_000, 1_000]])
  assert.deepEqual(long.retries, [1_000], 'the other goes on')
  assert.equal((await call(path, { headers: bearer(await provider.token({}, { exp })) })).status, 401)
})

test('the admin routes are for tokens with the scope of operators, and for their own tenant', limit, async (t) => {
  const { provider, url, logged } = await start(t)
  const ask = async (
    claims: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<readonly unknown[]> =>
    shown(await call(`${url}/v1/admin/lanes`, { headers: { ...headers, ...bearer(await provider.token(claims)) } }))
  for (const claims of [
    { scope: 'sluice:operator' },
    { scope: 'a sluice:operator b' },
    { scp: ['x', 'sluice:operator'] },
  ])
    assert.deepEqual(await ask(claims), [200], JSON.stringify(claims))
  const forbidden = [403, 'forbidden']
  for (const claims of [
    {},
    { scope: 'sluice:operators' },
    { scope: 'sluice' },
    { scope: { a: 1 } },
    { scp: 7 },
    { is_admin: true },
  ])
    assert.deepEqual(await ask(claims), forbidden, JSON.stringify(claims))
  assert.deepEqual(await ask({}, { 'x-internal-token': 'x' }), forbidden)
  assert.deepEqual(await ask({ scope: 'sluice:operator', tenant: '*' }), [403, 'tenant_invalid'])
  assert.deepEqual(shown(await call(`${url}/v1/admin/lanes`)), refused)
  assert.match(logged(), /"security":"admin_refused"/)
})

test('the scope and the claim of the tenant have the names that the options say', limit, async (t) => {
  const { provider, url } = await start(t, { JWT_OPERATOR_SCOPE: 'ops', JWT_TENANT_CLAIM: 'https://x.example/org' })
  const claims = { tenant: undefined, 'https://x.example/org': 'acme', scope: 'ops' }
  const headers = bearer(await provider.token(claims))
  assert.equal((await call(`${url}/v1/admin/lanes`, { headers })).status, 200)
  assert.deepEqual(shown(await withToken(url, await provider.token())), [403, 'tenant_invalid'])
})
