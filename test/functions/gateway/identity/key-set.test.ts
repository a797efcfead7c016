import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { jwtVerify } from 'jose'
import { createKeySet } from '../../../../functions/gateway/identity/key-set.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { atEnd, createManualClock, until, type ManualClock } from '../../../support/index.ts'
import { createKey, startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.ts'
import { testLogger } from '../../support/platform.ts'

interface Parts {
  readonly provider: IdentityProvider
  readonly clock: ManualClock
  /** `ok`, or the code of the error. */
  verify(token: string): Promise<string>
}

async function start(t: TestContext): Promise<Parts> {
  const provider = await startIdentityProvider(t)
  const clock = createManualClock()
  const instruments = createInstruments({ function: 'gateway' })
  const keys = createKeySet({ url: provider.url }, { clock, instruments, log: testLogger() })
  atEnd(t, () => keys.stop())
  const verify = (token: string): Promise<string> =>
    jwtVerify(token, keys.find).then(
      () => 'ok',
      (error: unknown) => String((error as { readonly code?: unknown }).code),
    )
  return { provider, clock, verify }
}

const minute = 60_000
const outage = 'identity_unavailable'
const noKey = 'ERR_JWKS_NO_MATCHING_KEY'

test('keys are asked for once, by one call, however many tokens come', async (t) => {
  const { provider, verify } = await start(t)
  const token = await provider.token()
  const answers = await Promise.all(Array.from({ length: 50 }, () => verify(token)))
  assert.deepEqual(new Set([...answers, await verify(token)]), new Set(['ok']))
  assert.equal(provider.asked(), 1)
})

test('tokens that name keys nobody knows cost no further call within 30 s, and one then', async (t) => {
  const { provider, clock, verify } = await start(t)
  const forged = await Promise.all(
    Array.from({ length: 200 }, (_, n) => provider.token({}, { header: { kid: `forged-${n}` } })),
  )
  for (const second of [0, 10, 19]) {
    await clock.advance(second * 1_000)
    assert.deepEqual(new Set(await Promise.all(forged.map(verify))), new Set([noKey]))
    assert.equal(provider.asked(), 1, `at second ${second}`)
  }
  await clock.advance(1_000)
  assert.deepEqual(new Set(await Promise.all(forged.map(verify))), new Set([noKey]))
  assert.equal(provider.asked(), 2)
})

test('a new key is honoured and a withdrawn one refused within a minute', async (t) => {
  const { provider, clock, verify } = await start(t)
  const old = await provider.token()
  assert.equal(await verify(old), 'ok')
  const next = await createKey('second', 'ES256')
  provider.publish(next)
  const token = await provider.token({}, { key: next })
  await clock.advance(30_000)
  assert.equal(await verify(token), 'ok', 'the token waits for the call that its key makes worth while')
  assert.equal(await verify(old), noKey)
})

test('a withdrawn key is refused after a minute also where nobody asked in between', async (t) => {
  const { provider, clock, verify } = await start(t)
  const token = await provider.token()
  assert.equal(await verify(token), 'ok')
  provider.publish(await createKey('second'))
  await clock.advance(10 * minute)
  assert.equal(await verify(token), noKey)
})

test('without the keys from the beginning it is an outage, not a refusal, and over soon after', async (t) => {
  const { provider, clock, verify } = await start(t)
  provider.answerWith((response) => response.writeHead(503).end())
  const token = await provider.token()
  assert.deepEqual(new Set(await Promise.all([1, 2, 3].map(() => verify(token)))), new Set([outage]))
  assert.equal(await verify(token), outage)
  assert.equal(provider.asked(), 1, 'one that is away is not asked for each request')
  provider.answerWith(undefined)
  await clock.advance(5_000)
  assert.equal(await verify(token), 'ok')
})

test('keys that are known go on for a quarter of an hour while the provider is away, and no longer', async (t) => {
  const { provider, clock, verify } = await start(t)
  const token = await provider.token()
  const unknown = await provider.token({}, { key: await createKey('second') })
  assert.equal(await verify(token), 'ok')
  provider.answerWith((response) => response.destroy())
  for (let passed = 0; passed < 14; passed += 1) {
    await clock.advance(minute)
    assert.equal(await verify(token), 'ok', `after ${passed + 1} minutes`)
    assert.equal(await verify(unknown), outage, 'perhaps its key is one of those that cannot be had')
  }
  await clock.advance(minute + 1)
  assert.equal(await verify(token), outage)
})

test('a provider that does not answer delays one request and not each', async (t) => {
  const { provider, clock, verify } = await start(t)
  const token = await provider.token()
  assert.equal(await verify(token), 'ok')
  const calls: ServerResponse[] = []
  provider.answerWith((response) => void calls.push(response))
  await clock.advance(2 * minute)
  assert.equal(await verify(token), 'ok')
  await clock.advance(6_000)
  assert.equal(await verify(token), 'ok')
  const second = await until('it is asked again', () => calls[1])
  const next = await createKey('second')
  second.end(JSON.stringify({ keys: [next.jwk] }))
  const later = await provider.token({}, { key: next })
  await until('the call still went on', async () => (await verify(later)) === 'ok')
})

for (const [what, body] of [
  ['no JSON', '<html>'],
  ['no key set', '{"keys":{}}'],
  ['endless', `{"keys":[],"x":"${'x'.repeat(300_000)}"}`],
] as const)
  test(`an answer that is ${what} is none`, async (t) => {
    const { provider, verify } = await start(t)
    provider.answerWith((response) => response.end(body))
    assert.equal(await verify(await provider.token()), outage)
  })
