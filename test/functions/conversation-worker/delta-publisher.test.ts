import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeltaPublisher } from '../../../functions/conversation-worker/delta-publisher.ts'
import { parseSessionSignal, sessionChannel } from '../../../shared/events/index.ts'
import type { Channel } from '../../../shared/key-value/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

const key = { tenant: 'local', sessionId: 's1' }
const log = createLogger({ function: 'test', level: 'silent' })

/** A store whose publishes the test ends by hand. */
function slowChannel(): { channel: Channel; published: string[]; release: () => void; fail: () => void } {
  const published: string[] = []
  let settle = Promise.withResolvers<void>()
  const channel: Channel = {
    publish: async (name, message) => {
      assert.equal(name, sessionChannel('local', 's1'))
      published.push(message)
      await settle.promise
    },
    subscribe: async () => ({ stop: async () => undefined }),
  }
  const end = (how: 'resolve' | 'reject'): void => {
    const current = settle
    settle = Promise.withResolvers<void>()
    if (how === 'resolve') current.resolve()
    else current.reject(new Error('the store is away'))
  }
  return { channel, published, release: () => end('resolve'), fail: () => end('reject') }
}

test('W-45: pieces that come while one is on its way travel together, and each character is sent once', async () => {
  const { channel, published, release } = slowChannel()
  const clock = createManualClock()
  const deltas = createDeltaPublisher({ key, turnId: 't1', round: 1, attempt: 2 }, { channel, clock, log })
  for (const piece of ['Hel', 'lo', ' ', 'world']) deltas.add(piece)
  release()
  await clock.advance(25)
  release()
  await deltas.flush()
  assert.deepEqual(
    published.map((text) => parseSessionSignal(text)),
    [
      { kind: 'delta', turn_id: 't1', round: 1, attempt: 2, index: 0, text: 'Hel' },
      { kind: 'delta', turn_id: 't1', round: 1, attempt: 2, index: 1, text: 'lo world' },
    ],
  )
})

test('a flush does not wait out the pause, and after it nothing leaves', async () => {
  const { channel, published, release } = slowChannel()
  const deltas = createDeltaPublisher(
    { key, turnId: 't1', round: 1, attempt: 1 },
    { channel, clock: createManualClock(), log },
  )
  deltas.add('a')
  deltas.add('b')
  const flushed = deltas.flush()
  release()
  await new Promise((resolve) => setImmediate(resolve))
  release()
  await flushed
  deltas.add('late')
  await deltas.flush()
  assert.equal(published.length, 2)
})

test('a store that is away costs the pieces and nothing else', async () => {
  const { channel, published, release, fail } = slowChannel()
  const clock = createManualClock()
  const deltas = createDeltaPublisher({ key, turnId: 't1', round: 1, attempt: 1 }, { channel, clock, log })
  deltas.add('lost')
  fail()
  await clock.advance(25)
  deltas.add('kept')
  release()
  await deltas.flush()
  assert.equal(published.length, 2)
})

test('a long piece is cut so that each message fits the channel, whatever its escapes', async () => {
  const { channel, published } = slowChannel()
  const quick: Channel = { ...channel, publish: async (_name, message) => void published.push(message) }
  const clock = createManualClock()
  const deltas = createDeltaPublisher({ key, turnId: 't1', round: 1, attempt: 1 }, { channel: quick, clock, log })
  deltas.add('\u0001'.repeat(20_000))
  await deltas.flush()
  assert.deepEqual(
    published.map((text) => (JSON.parse(text) as { text: string }).text.length),
    [8_000, 8_000, 4_000],
  )
  for (const message of published) assert.ok(Buffer.byteLength(message) <= 65_536)
})
