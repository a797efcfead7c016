import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createTurnStops, type TurnStops } from '../../../functions/conversation-worker/turn-stops.ts'
import type { Database } from '../../../shared/database/index.ts'
import { stopChannel } from '../../../shared/events/index.ts'
import { createKeyValue, type Channel } from '../../../shared/key-value/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, until } from '../../support/index.ts'
import { openDatabase, testLogger } from '../support/platform.ts'

interface Bench {
  readonly stops: TurnStops
  readonly database: Database
  readonly channel: Channel
  readonly stop: (turnId: string) => Promise<unknown>
}

async function bench(t: TestContext, pollMs: number): Promise<Bench> {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  const log = testLogger()
  const { channel, component } = createKeyValue({ redisUrl: undefined }, { database, clock, log, name: 'test' })
  const stops = createTurnStops({ pollMs }, { channel, database, clock, log })
  for (const part of [component, stops]) {
    await part.start(new AbortController().signal)
    atEnd(t, () => part.stop())
  }
  await database.query(`INSERT INTO agent.session (tenant, session_id) VALUES ('local', 's1')`)
  await database.query(
    `INSERT INTO agent.turn (tenant, session_id, turn_id, ordinal, state) VALUES ('local', 's1', 't1', 1, 'thinking'), ('local', 's1', 't2', 2, 'queued')`,
  )
  const stop = (turnId: string): Promise<unknown> =>
    database.query(`UPDATE agent.turn SET interrupt_cause = 'cancelled' WHERE turn_id = $1`, [turnId])
  return { stops, database, channel, stop }
}

const key = { tenant: 'local', sessionId: 's1' }
const signal = (tenant: string, sessionId: string): string => JSON.stringify({ tenant, session_id: sessionId })

test('a signal aborts the watch of a turn that is to stop, and of no other', { timeout: 30_000 }, async (t) => {
  const { stops, channel, stop } = await bench(t, 60_000)
  const [first, second] = [stops.watch(key, 't1'), stops.watch(key, 't2')]
  atEnd(t, () => [first, second].forEach((watch) => watch.end()))
  await channel.publish(stopChannel, signal('local', 's1')) // nobody is to stop yet
  await stop('t1')
  await channel.publish(stopChannel, signal('acme', 's1'))
  await channel.publish(stopChannel, signal('local', 's2'))
  await channel.publish(stopChannel, signal('local', 's1'))
  await until('the watch aborts', () => first.signal.aborted)
  assert.equal(second.signal.aborted, false)
})

test('without a signal the row is found by looking', { timeout: 30_000 }, async (t) => {
  const { stops, stop } = await bench(t, 20)
  const watch = stops.watch(key, 't1')
  atEnd(t, () => watch.end())
  await stop('t1')
  await until('the watch aborts', () => watch.signal.aborted)
})

test('a signal that cannot be read makes everybody look', { timeout: 30_000 }, async (t) => {
  const { stops, channel, stop } = await bench(t, 60_000)
  const watch = stops.watch(key, 't1')
  atEnd(t, () => watch.end())
  await stop('t1')
  await channel.publish(stopChannel, 'x')
  await until('the watch aborts', () => watch.signal.aborted)
})

test('a watch that ended looks no more', { timeout: 30_000 }, async (t) => {
  const { stops, stop, channel } = await bench(t, 10)
  const [ended, other] = [stops.watch(key, 't1'), stops.watch(key, 't1')]
  ended.end()
  atEnd(t, () => other.end())
  await stop('t1')
  await channel.publish(stopChannel, signal('local', 's1'))
  await until('the other one aborts', () => other.signal.aborted)
  assert.equal(ended.signal.aborted, false)
})
