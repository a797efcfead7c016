import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedact, longestText } from '../../../shared/telemetry/redact-text.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'

const redact = createRedact()
/** Made here, so that the tree holds nothing that looks like a credential. */
const letters = (length: number): string =>
  'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7'.repeat(Math.ceil(length / 27)).slice(0, length)
const jwt = ['eyJ' + letters(30), 'eyJ' + letters(60), letters(43)].join('.')

const leaks: Readonly<Record<string, string>> = {
  'a bearer token': `authorization: Bearer ${letters(40)}`,
  'a bearer token in the middle of a sentence': `the model said Bearer ${letters(40)} is not known`,
  'basic credentials': `Basic ${Buffer.from('user:' + letters(20)).toString('base64')}`,
  'a bearer token in a URL': `x=Bearer%20${letters(40)}`,
  'a JSON Web Token': `token is ${jwt} here`,
  'a password of a URL': `connect to postgres://sluice:${letters(12)}@host:5432/db failed`,
  'a password without a user': `redis://:${letters(12)}@host`,
  'a key in a query': `GET /v1?api_key=${letters(24)}&page=2`,
  'a password in a connection string': `host=x password=${letters(12)} user=y`,
  'a password in JSON': `{"password":"${letters(12)}","user":"y"}`,
  'a password in JSON in JSON': JSON.stringify({ body: `{"client_secret":"${letters(12)}"}` }),
  'a key of a model': `Incorrect API key provided: sk-${letters(32)}.`,
  'a key of AWS': `AKIA${letters(16)
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, 'X')}`,
  'a token of GitHub': `ghp_${letters(36)}`,
  'a private key': `-----BEGIN RSA PRIVATE KEY-----\n${letters(60)}\n${letters(60)}\n-----END RSA PRIVATE KEY-----`,
  'a private key that was cut': `-----BEGIN PRIVATE KEY-----\n${letters(60)}`,
  'an encrypted private key': `-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,00\n\n${letters(60)}\n-----END RSA PRIVATE KEY-----`,
  'a token under a scheme of its own': `Authorization: Token ${letters(20)}`,
  'a password of several words': `{"password":"correct ${letters(12)} staple"}`,
  'a password with a quote in it': JSON.stringify({ password: `x"${letters(12)}` }),
  'the last of several cookies': `cookie: theme=dark; session=${letters(20)}`,
  'the signature of a link': `https://bucket.example/key?X-Amz-Expires=60&X-Amz-Signature=${letters(20)}`,
  'a cookie': `cookie: session=${letters(20)}`,
}

for (const [what, text] of Object.entries(leaks)) {
  test(`${what} is taken out`, () => {
    const clean = redact(text)
    assert.match(clean, /\[redacted\]/)
    for (let at = 0; at + 8 <= 12; at += 1) assert.equal(clean.includes(letters(12).slice(at, at + 8)), false, clean)
  })
}

test('ordinary texts stay as they are', () => {
  const texts = [
    'event done',
    'the token count exceeds the context of the model',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'https://example.com/a/b?page=2',
    '0198c5a2-3b1e-7c55-8a64-6f0b1d2c3e4f',
    'id@conversation.inbound/3/1042',
    'eyJ is how they begin',
    'input_tokens: 12, output_tokens: 40',
    'a basic error',
  ]
  for (const text of texts) assert.equal(redact(text), text)
})

test('JSON stays JSON', () => {
  const value = {
    a: `Bearer ${letters(40)}`,
    b: `password=${letters(20)}`,
    c: [`x://u:${letters(9)}@h`, 'plain'],
    d: 1,
  }
  const parsed = JSON.parse(redact(JSON.stringify(value))) as typeof value
  assert.deepEqual(Object.keys(parsed), Object.keys(value))
  assert.equal(parsed.c[1], 'plain')
})

test('JSON stays JSON whatever its texts hold, also JSON in JSON', () => {
  const words = [
    'password',
    'token',
    'authorization',
    'cookie',
    'Bearer ',
    'x y',
    'abc',
    '1',
    '://',
    '@',
    'a:b',
    '&sig=',
  ]
  const signs = [':', '=', ' ', '"', "'", '\\', ',', '{', '}', '[', ']', '?', '\n']
  const keys = ['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----']
  const piece = fc.constantFrom(...words, ...signs, ...keys)
  const text = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
  const value = fc.record({ a: text, password: text, b: fc.dictionary(text, fc.array(text)), cookie: fc.array(text) })
  fc.assert(
    fc.property(value, fc.boolean(), (given, twice) => {
      const clean = redact(JSON.stringify(twice ? { inner: JSON.stringify(given) } : given))
      const parsed = JSON.parse(clean) as { readonly inner?: string }
      if (twice) JSON.parse(parsed.inner ?? '')
    }),
    { numRuns: 2_000 },
  )
})

test('what the process knows as its secrets goes in every form: plain, percent-encoded, base64 at any place of a text', () => {
  const secret = 'pa ss/wörd+1'
  const known = createRedact([secret])
  const forms = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify({ secret }),
    ...['', 'u', 'us', 'usr:'].map((before) => Buffer.from(`${before}${secret}`).toString('base64')),
    ...['', 'u', 'us', 'usr:'].map((before) => Buffer.from(`${before}${secret}, and more`).toString('base64url')),
  ]
  for (const form of forms) {
    const clean = known(`before ${form} after`)
    assert.match(clean, /\[redacted\]/, form)
    const readable = Buffer.from(clean.replace('[redacted]', ''), 'base64').toString()
    assert.equal(clean.includes('wörd') || readable.includes('ss/w'), false, clean)
  }
  assert.equal(createRedact(['short'])('short'), 'short', 'a secret that may be a word is not searched for')
})

test('a text is cut where nobody looks any further', () => {
  const clean = redact(`${'a '.repeat(longestText / 2)}Bearer ${letters(40)}`)
  assert.equal(clean.length, longestText + 1)
})

test('a secret through which the cut goes leaves nothing of itself', () => {
  const secret = letters(40)
  const known = createRedact([secret])
  for (const seen of [8, 20, 39]) {
    const clean = known(`${'-'.repeat(longestText - seen)}${secret}`)
    assert.equal(clean.includes(secret.slice(0, 8)), false, clean.slice(-60))
  }
})

test('time grows with the length and no faster, for every text that was made to be slow', () => {
  const slow: Readonly<Record<string, string>> = {
    'beginnings of JSON Web Tokens': 'eyJ-',
    'beginnings of JSON Web Tokens with dots': 'eyJaaaaaaaa.',
    'words and equal signs': 'token=',
    'names without values': 'password      ',
    'values in quotes': 'password="x',
    'headers with nothing in them': 'cookie: ',
    'questions about signatures': '?signature-',
    'schemes of URLs': 'a://b:',
    'users without hosts': '://u:p',
    bearers: 'Bearer ',
    'beginnings of keys': '-----BEGIN PRIVATE KEY-----',
    'keys of models': 'sk-',
    spaces: '        ',
    letters: 'a',
    'an address that never ends': 'a.b-c+d',
    'percent signs': '%20',
    backslashes: '\\"',
  }
  const measured = (text: string): number => {
    let least = Infinity
    for (let round = 0; round < 7; round += 1) {
      const ms = cpuMsOf(() => {
        for (let n = 0; n < 10; n += 1) redact(text)
      })
      least = Math.min(least, ms)
    }
    return least
  }
  const of = (piece: string, length: number): string => piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
  for (const [what, piece] of Object.entries(slow)) {
    measured(of(piece, 2_048)) // code gets hot
    const [short, long] = [measured(of(piece, 2_048)), measured(of(piece, 16_384))]
    // 8 times the length: 8 when linear, 64 when quadratic. Clocks of busy machines are rough, and tiny times rougher.
    assert.ok(long < Math.max(0.5, short) * 28, `${what}: ${short.toFixed(2)} ms became ${long.toFixed(2)} ms`)
  }
})
