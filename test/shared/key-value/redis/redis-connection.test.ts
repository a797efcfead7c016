import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { secret } from '../../../../shared/config/index.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createRedisKeyValue, type KeyValueStore } from '../../../../shared/key-value/index.ts'
import { createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { atEnd, proxyTo, redisForTests, until } from '../../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const unavailable = (error: unknown): boolean => error instanceof SluiceError && error.code === 'key_value_unavailable'

const make = (url: string): KeyValueStore =>
  createRedisKeyValue({ url: secret(url), connectionName: 'test', startTimeoutMs: 300 }, { clock, log })

/** A subscription whose connection a test can break, and a publisher whose own it cannot. */
async function subscribeThroughProxy(t: TestContext) {
  const redis = await redisForTests(t)
  if (redis === undefined) return undefined
  const { proxy, proxied } = await proxyTo(t, redis.url)
  const [store, other] = [make(proxied), make(redis.url)]
  for (const { component } of [store, other]) {
    await component.start(t.signal)
    atEnd(t, () => component.stop())
  }
  const name = redis.uniqueName('channel')
  const received: string[] = []
  await store.channel.subscribe(name, (message) => received.push(message))
  return { proxy, received, publish: (message: string) => other.channel.publish(name, message) }
}

test('a process starts without Redis, and uses it as soon as it answers', { timeout: 30_000 }, async (t) => {
  const redis = await redisForTests(t)
  if (redis === undefined) return
  const { proxy, proxied } = await proxyTo(t, redis.url)
  proxy.cut()
  const store = make(proxied)
  await store.component.start(t.signal)
  atEnd(t, () => store.component.stop())
  assert.equal(store.component.health().status, 'down')
  await assert.rejects(store.keyValue.get('key'), unavailable)
  await assert.rejects(
    store.channel.subscribe('channel', () => undefined),
    unavailable,
  )
  proxy.mend()
  await until('it answers', () => store.keyValue.set(redis.uniqueName('key'), 'x', { ttlMs: 1_000 }).then(() => true))
  await until('health says so', () => store.component.health().status === 'up')
})

test('credentials that Redis refuses end the start', { timeout: 30_000 }, async (t) => {
  const redis = await redisForTests(t)
  if (redis === undefined) return
  const url = new URL(redis.url)
  url.username = 'nobody'
  url.password = 'wrong'
  await assert.rejects(
    make(url.href).component.start(t.signal),
    (error) => error instanceof SluiceError && error.code === 'start_failed',
  )
})

test('start ends with the reason of its signal, and leaves nothing open', { timeout: 30_000 }, async () => {
  const stopping = new AbortController()
  const starting = make('redis://127.0.0.1:1').component.start(stopping.signal)
  const reason = new Error('not wanted any more')
  stopping.abort(reason)
  await assert.rejects(starting, (error) => error === reason)
})

test('a connection that went dead without a sign is replaced', { timeout: 40_000 }, async (t) => {
  const subscription = await subscribeThroughProxy(t)
  if (subscription === undefined) return
  const { proxy, publish, received } = subscription
  proxy.freezePresent()
  await until(
    'messages come again',
    async () => {
      await publish('x')
      return received.length > 0
    },
    { limitMs: 20_000, everyMs: 100 },
  )
})

test(
  'a connection that breaks while it subscribes again is replaced by one that does',
  { timeout: 40_000 },
  async (t) => {
    const subscription = await subscribeThroughProxy(t)
    if (subscription === undefined) return
    const { proxy, publish, received } = subscription
    proxy.cut()
    proxy.mend()
    proxy.breakAt('\r\nsubscribe\r\n') // its name has the word, too
    await until('it has tried again', () => proxy.broken >= 2)
    proxy.mend()
    await until('messages come again', async () => {
      await publish('x')
      return received.length > 0
    })
  },
)
