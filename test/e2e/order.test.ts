import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPlatform } from './support/index.ts'

test(
  'two clients on two gateway processes see the same durable events in the same order',
  { timeout: 90_000 },
  async (t) => {
    const platform = await startPlatform(t, { instances: { gateway: 2 } })
    const first = await platform.send('What is 17*23?')
    const other = platform.watch(first.sessionId, 'gateway-2')
    const second = await platform.send('echo second', { sessionId: first.sessionId, via: 'gateway-2' })
    const third = await platform.send('What is 2+2?', { sessionId: first.sessionId })
    for (const watched of [first.watch, other]) {
      for (const { turnId } of [first, second, third]) await watched.completed(turnId)
    }
    assert.deepEqual(other.events, first.watch.events)
    assert.ok(other.deltas.length > 0, 'pieces of answers reach both')
  },
)

test('a client that comes late reads the same story', { timeout: 90_000 }, async (t) => {
  const platform = await startPlatform(t)
  const turn = await platform.send('What is 17*23?')
  await turn.completed()
  const late = platform.watch(turn.sessionId)
  await late.completed(turn.turnId)
  assert.deepEqual(late.events, turn.watch.events)
  const page = (await (await fetch(`${platform.gatewayUrl}/v1/sessions/${turn.sessionId}/events?after=2`)).json()) as {
    readonly events: readonly { readonly position: number; readonly event_id: string }[]
  }
  assert.deepEqual(
    page.events.map(({ position, event_id: id }) => [position, id]),
    turn.watch.events.slice(2).map(({ position, eventId }) => [position, eventId]),
  )
})
