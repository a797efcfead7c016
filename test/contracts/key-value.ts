// What every adapter of key-value and channels must do. Each test file of an adapter calls this with its own way to open one.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../shared/errors/index.ts'
import { maxKeyBytes, maxMessageBytes, maxValueBytes, type KeyValueStore } from '../../shared/key-value/index.ts'
import { until, type TcpProxy } from '../support/index.ts'

export interface OpenedStore {
  /** Starts a further instance on the same storage, as another process would. Stopped at the end of the test. */
  open(): Promise<KeyValueStore>
  /** An instance whose way to the store a test can break. */
  openThroughProxy(): Promise<KeyValueStore & { readonly proxy: TcpProxy }>
  uniqueName(name: string): string
}

/** Opens the storage for one test; undefined when the test was skipped. */
export type OpenStore = (t: TestContext) => Promise<OpenedStore | undefined>

const limit = { timeout: 30_000 }
const long = { ttlMs: 60_000 }

export function keyValueContract(adapter: string, openStore: OpenStore): void {
  const contract = (title: string, body: (fixture: Fixture) => Promise<void>): void => {
    test(`${adapter}: ${title}`, limit, async (t) => {
      const opened = await openStore(t)
      if (opened !== undefined) await body({ ...opened, ...(await opened.open()) })
    })
  }

  contract('a value is what was set last, and absent before and after', async ({ keyValue, uniqueName }) => {
    const key = uniqueName('key')
    assert.equal(await keyValue.get(key), undefined)
    await keyValue.set(key, 'one', long)
    await keyValue.set(key, 'two', long)
    assert.equal(await keyValue.get(key), 'two')
    await keyValue.delete(key)
    await keyValue.delete(key)
    assert.equal(await keyValue.get(key), undefined)
  })

  contract('any text is a value: empty, NUL, every plane, and the largest', async ({ keyValue, open, uniqueName }) => {
    const other = await open()
    for (const value of ['', '\0', 'é€𝄞\r\n"', 'x'.repeat(65_536), 'é'.repeat(maxValueBytes / 2)]) {
      const key = uniqueName('key')
      await keyValue.set(key, value, long)
      assert.equal(await other.keyValue.get(key), value)
    }
  })

  contract(
    'a value vanishes when its time is over, and may then be set as if absent',
    async ({ keyValue, uniqueName }) => {
      const [key, counter] = [uniqueName('key'), uniqueName('counter')]
      await keyValue.set(key, 'short', { ttlMs: 150 })
      await keyValue.increment(counter, { by: 5, ttlMs: 150 })
      await until('the value is gone', async () => (await keyValue.get(key)) === undefined)
      assert.equal(await keyValue.setIfAbsent(key, 'again', long), true)
      await until('the counter is gone', async () => (await keyValue.get(counter)) === undefined)
      assert.equal(await keyValue.increment(counter, long), 1)
      await keyValue.set(key, 'short', { ttlMs: 100 })
      await keyValue.set(key, 'prolonged', long)
      await until(
        'the first time to live is over',
        async () => !(await keyValue.setIfAbsent(uniqueName('later'), 'x', long)) || true,
        { limitMs: 1_000 },
      )
      assert.equal(await keyValue.get(key), 'prolonged')
    },
  )

  contract('of many who set a key as if absent exactly one succeeds', async ({ keyValue, open, uniqueName }) => {
    const key = uniqueName('key')
    const other = await open()
    const tries = Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? keyValue : other.keyValue).setIfAbsent(key, String(at), long),
    )
    const won = (await Promise.all(tries)).flatMap((success, at) => (success ? [String(at)] : []))
    assert.equal(won.length, 1)
    assert.equal(await keyValue.get(key), won[0])
  })

  contract(
    'increments of many add up, and the first one decides the time to live',
    async ({ keyValue, open, uniqueName }) => {
      const key = uniqueName('counter')
      const other = await open()
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          (at % 2 === 0 ? keyValue : other.keyValue).increment(key, { by: 2, ttlMs: 60_000 }),
        ),
      )
      assert.deepEqual(
        answers.toSorted((a, b) => a - b),
        Array.from({ length: 40 }, (_, at) => (at + 1) * 2),
      )
      assert.equal(await keyValue.increment(key, { by: -100, ttlMs: 60_000 }), -20)
      assert.equal(await keyValue.get(key), '-20')
      const window = uniqueName('window')
      await keyValue.increment(window, { ttlMs: 300 })
      await keyValue.increment(window, { ttlMs: 60_000 })
      await until(
        'the window is over although it was incremented',
        async () => (await keyValue.get(window)) === undefined,
      )
    },
  )

  contract('what is not a whole number cannot be incremented', async ({ keyValue, uniqueName }) => {
    const key = uniqueName('key')
    await keyValue.set(key, 'text', long)
    await assert.rejects(keyValue.increment(key, long), code('conflict'))
    assert.equal(await keyValue.get(key), 'text')
    await assert.rejects(
      keyValue.increment(uniqueName('counter'), { by: 0.5, ttlMs: 1_000 }),
      code('invalid_parameter'),
    )
  })

  contract(
    'keys, values, times and messages beyond the limits are refused',
    async ({ keyValue, channel, uniqueName }) => {
      const refused = code('invalid_parameter')
      const key = uniqueName('key')
      for (const bad of ['', 'a\0b', 'k'.repeat(maxKeyBytes + 1)])
        await assert.rejects(keyValue.set(bad, 'x', long), refused)
      await keyValue.set('k'.repeat(maxKeyBytes), 'x', { ttlMs: 1_000 })
      await assert.rejects(keyValue.set(key, 'x'.repeat(maxValueBytes + 1), long), refused)
      for (const ttlMs of [0, -1, 1.5, Number.NaN]) await assert.rejects(keyValue.set(key, 'x', { ttlMs }), refused)
      await assert.rejects(channel.publish(key, 'x'.repeat(maxMessageBytes + 1)), refused)
      await assert.rejects(channel.publish('', 'x'), refused)
    },
  )

  contract(
    'a subscriber gets messages of every size from another instance, in order',
    async ({ channel, open, uniqueName }) => {
      const name = uniqueName('channel')
      const publisher = await open()
      const received: string[] = []
      await channel.subscribe(name, (message) => received.push(message))
      const sizes = [0, 1, 7_900, 8_000, 65_536, 3, 20_000, 1, 65_536, 1]
      const messages = sizes.map((size, at) => `${at} ${'é"\0x'.repeat(size)}`.slice(0, size / 2))
      await Promise.all(messages.map((message) => publisher.channel.publish(name, message)))
      await until('all messages are here', () => received.length === messages.length)
      assert.deepEqual(received, messages)
    },
  )

  contract('equal messages are each delivered', async ({ channel, uniqueName }) => {
    const name = uniqueName('channel')
    const received: string[] = []
    await channel.subscribe(name, (message) => received.push(message))
    for (const message of ['the ', 'x'.repeat(5_000), 'x'.repeat(20_000)]) {
      await Promise.all(Array.from({ length: 20 }, () => channel.publish(name, message)))
    }
    await channel.publish(name, 'end')
    await until('the end is here', () => received.at(-1) === 'end')
    assert.equal(received.length, 61)
  })

  contract(
    'subscribers of one channel all get a message, those of others none',
    async ({ channel, open, uniqueName }) => {
      const [name, otherName] = [uniqueName('channel'), uniqueName('channel')]
      const other = await open()
      const received: string[] = []
      const note = (who: string) => (message: string) => void received.push(`${who}:${message}`)
      const first = await channel.subscribe(name, note('a'))
      await channel.subscribe(name, note('b'))
      await other.channel.subscribe(name, note('c'))
      await other.channel.subscribe(otherName, note('d'))
      await channel.publish(name, '1')
      await channel.publish(otherName, '2')
      await until('four deliveries', () => received.length === 4)
      assert.deepEqual(received.toSorted(), ['a:1', 'b:1', 'c:1', 'd:2'])
      await first.stop()
      await first.stop()
      await channel.publish(name, '3')
      await until('two more deliveries', () => received.length === 6)
      assert.deepEqual(received.slice(4).toSorted(), ['b:3', 'c:3'])
    },
  )

  contract('a channel can be left and joined again at once', async ({ channel, uniqueName }) => {
    const name = uniqueName('channel')
    const received: string[] = []
    for (let round = 0; round < 5; round += 1) {
      const subscription = await channel.subscribe(name, (message) => received.push(message))
      await channel.publish(name, String(round))
      await until('the message is here', () => received.length === round + 1)
      void subscription.stop()
    }
    assert.deepEqual(received, ['0', '1', '2', '3', '4'])
  })

  contract('a subscriber that throws keeps no message from the others', async ({ channel, uniqueName }) => {
    const name = uniqueName('channel')
    const received: string[] = []
    await channel.subscribe(name, () => {
      throw new Error('subscriber')
    })
    await channel.subscribe(name, (message) => received.push(message))
    await channel.publish(name, '1')
    await channel.publish(name, '2')
    await until('both are here', () => received.length === 2)
  })

  contract('a stream of small messages arrives in milliseconds', async ({ channel, open, uniqueName }) => {
    const name = uniqueName('channel')
    const publisher = await open()
    const delays: number[] = []
    await channel.subscribe(name, (message) => delays.push(performance.now() - Number(message)))
    for (let at = 1; at <= 200; at += 1) {
      void publisher.channel.publish(name, String(performance.now()))
      await new Promise((resolve) => setTimeout(resolve, 2)) // the pace of a model that writes quickly
    }
    await until('all are here', () => delays.length === 200)
    const median = delays.toSorted((a, b) => a - b)[100] ?? Number.NaN
    assert.ok(median < 50, `median ${median} ms`)
  })

  contract(
    'while the store is out of reach calls fail with a code in bounded time, and later calls succeed',
    async (fixture) => {
      const { keyValue, channel, component, proxy } = await fixture.openThroughProxy()
      const key = fixture.uniqueName('key')
      await keyValue.set(key, 'before', long)
      proxy.cut()
      const started = performance.now()
      const unavailable = code('key_value_unavailable')
      await assert.rejects(keyValue.get(key), unavailable)
      await assert.rejects(keyValue.setIfAbsent(key, 'x', long), unavailable)
      await assert.rejects(keyValue.increment(key, long), unavailable)
      await assert.rejects(channel.publish(key, 'x'), unavailable)
      assert.ok(performance.now() - started < 10_000)
      await until('health says so', () => component.health().status === 'down')
      proxy.mend()
      assert.equal(await until('the value is back', () => keyValue.get(key)), 'before')
      await until('health says so', () => component.health().status === 'up')
    },
  )

  contract('a store that goes silent hangs no call', async (fixture) => {
    const { keyValue, channel, proxy } = await fixture.openThroughProxy()
    const key = fixture.uniqueName('key')
    await keyValue.set(key, 'before', long)
    proxy.freeze()
    const started = performance.now()
    await assert.rejects(keyValue.get(key), code('key_value_unavailable'))
    await assert.rejects(channel.publish(key, 'x'), code('key_value_unavailable'))
    assert.ok(performance.now() - started < 15_000)
    proxy.mend()
    assert.equal(await until('the value is back', () => keyValue.get(key)), 'before')
  })

  contract('a subscription outlives a lost connection', async (fixture) => {
    const { channel, proxy } = await fixture.openThroughProxy()
    const name = fixture.uniqueName('channel')
    const received: string[] = []
    await channel.subscribe(name, (message) => received.push(message))
    await fixture.channel.publish(name, 'before')
    await until('the first is here', () => received.includes('before'))
    proxy.cut()
    proxy.mend()
    await until('messages come again', async () => {
      await fixture.channel.publish(name, 'after')
      return received.includes('after')
    })
  })

  contract('a stopped store refuses work and may be stopped again', async ({ open, uniqueName }) => {
    const store = await open()
    await store.channel.subscribe(uniqueName('channel'), () => undefined)
    await store.component.stop()
    await store.component.stop()
  })
}

interface Fixture extends OpenedStore, KeyValueStore {}

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected
