import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { notifyPayloadBytes } from '../../../shared/database/index.ts'
import { createTestDatabase, proxyTo, until } from '../../support/index.ts'
import { makeDatabase, openDatabase } from './open-database.ts'

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected

test('listeners of a channel hear its notifications in order, those of other channels do not', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const [database, other] = [await openDatabase(t, url), await openDatabase(t, url)]
  const heard: string[] = []
  const note = (who: string) => (payload: string) => void heard.push(`${who}${payload}`)
  const first = await database.listen('Odd "name"', note('a'))
  await database.listen('Odd "name"', note('b'))
  await database.listen('another', note('c'))
  for (const payload of ['1', '2', '3']) void other.notify('Odd "name"', payload)
  await other.notify('another', '4')
  await until('all are here', () => heard.length === 7)
  assert.deepEqual(
    heard.filter((each) => each.startsWith('a')),
    ['a1', 'a2', 'a3'],
  )
  assert.deepEqual(
    heard.filter((each) => each.startsWith('b')),
    ['b1', 'b2', 'b3'],
  )
  await first.stop()
  await first.stop()
  await other.notify('Odd "name"')
  await until('the empty payload is here', () => heard.includes('b'))
  assert.ok(!heard.includes('a'))
})

test('all listeners share one connection', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url, { applicationName: 'listening', poolSize: 1 })
  await Promise.all(Array.from({ length: 20 }, (_, at) => database.listen(`channel_${at}`, () => undefined)))
  const { rows } = await database.query<{ n: number }>(
    "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name LIKE 'listening%'",
  )
  assert.deepEqual(rows, [{ n: 2 }])
})

test('a channel left and joined again at once is heard', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url)
  const heard: string[] = []
  for (const payload of ['1', '2', '3']) {
    const subscription = await database.listen('channel', (each) => heard.push(each))
    await database.notify('channel', payload)
    await until('it is here', () => heard.at(-1) === payload)
    void subscription.stop()
  }
  assert.deepEqual(heard, ['1', '2', '3'])
})

test('a listener that throws stops neither the others nor the connection', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url)
  const heard: string[] = []
  await database.listen('channel', () => {
    throw new Error('listener')
  })
  await database.listen('channel', (payload) => heard.push(payload))
  await database.notify('channel', '1')
  await database.notify('channel', '2')
  await until('both are here', () => heard.length === 2)
})

test('a payload of the largest size travels, a larger one is refused', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const database = await openDatabase(t, url)
  const heard: string[] = []
  await database.listen('channel', (payload) => heard.push(payload))
  const largest = `${'é'.repeat((notifyPayloadBytes - 1) / 2)}x`
  await database.notify('channel', largest)
  await until('it is here', () => heard.includes(largest))
  await assert.rejects(database.notify('channel', `${largest}x`), code('invalid_parameter'))
})

test(
  'after a lost connection every listener is called with nothing, since it may have missed something',
  { timeout: 30_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    const [database, other] = [await openDatabase(t, proxied), await openDatabase(t, url)]
    const heard = new Map<string, string[]>([
      ['a', []],
      ['b', []],
    ])
    for (const channel of heard.keys()) await database.listen(channel, (payload) => heard.get(channel)?.push(payload))
    proxy.cut()
    await other.notify('a', 'missed')
    proxy.mend()
    await until('both were called', () => [...heard.values()].every((payloads) => payloads.includes('')))
    await other.notify('a', 'heard')
    await until('notifications come again', () => heard.get('a')?.includes('heard'))
    assert.ok(!(heard.get('a') ?? []).includes('missed'))
  },
)

test(
  'a connection that went dead without a sign is noticed within 15 seconds and replaced',
  { timeout: 40_000 },
  async (t) => {
    const { url } = await createTestDatabase(t, { migrated: false })
    const { proxy, proxied } = await proxyTo(t, url)
    const [database, other] = [await openDatabase(t, proxied), await openDatabase(t, url)]
    const heard: string[] = []
    await database.listen('channel', (payload) => heard.push(payload))
    proxy.freezePresent()
    const started = performance.now()
    await until('the listener was called', () => heard.includes(''), { limitMs: 20_000, everyMs: 50 })
    assert.ok(performance.now() - started < 15_000)
    await other.notify('channel', 'heard')
    await until('notifications come again', () => heard.includes('heard'))
  },
)

test(
  'listening while the database is away fails with a code, and nothing is called later',
  { timeout: 20_000 },
  async () => {
    const database = makeDatabase('postgres://nobody@127.0.0.1:1/nowhere', { connectTimeoutMs: 300 })
    await assert.rejects(
      database.listen('channel', () => assert.fail('called')),
      code('database_unavailable'),
    )
    await database.stop()
  },
)
