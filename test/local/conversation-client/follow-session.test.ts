import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followSession, type FollowItem } from '../../../local/conversation-client/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { delta, durable, scriptedGateway } from './scripted-gateway.ts'

/** Items of a session until `count` of them came. */
async function take(gatewayUrl: string, count: number, after = 0): Promise<readonly FollowItem[]> {
  const abort = new AbortController()
  const items: FollowItem[] = []
  for await (const item of followSession({ gatewayUrl, sessionId: 's 1', after, signal: abort.signal }, { clock })) {
    items.push(item)
    if (items.length === count) abort.abort()
  }
  return items
}

test('durable events and pieces arrive as values, in order', async (t) => {
  const { url, requests } = await scriptedGateway(t, {
    streams: [{ open: true, text: durable(1, 'turn.started') + delta('Hel') + delta('lo', { index: 1 }) }],
  })
  assert.deepEqual(await take(url, 4), [
    { kind: 'connected', after: 0 },
    { kind: 'event', position: 1, eventId: 'e-1', type: 'conversation.turn.started.v1', turnId: 't-1', data: {} },
    { kind: 'delta', turnId: 't-1', round: 1, attempt: 1, index: 0, text: 'Hel' },
    { kind: 'delta', turnId: 't-1', round: 1, attempt: 1, index: 1, text: 'lo' },
  ])
  assert.equal(requests[0]?.url, '/v1/session/s%201/events')
})

test('a stream that breaks is taken up after the last durable event', async (t) => {
  const { url, requests } = await scriptedGateway(t, {
    streams: [
      { cut: true, text: `retry: 10\n\n${durable(1, 'turn.started')}${durable(2, 'turn.progressed')}` },
      { open: true, text: durable(3, 'turn.completed') },
    ],
  })
  const items = await take(url, 6)
  assert.deepEqual(
    items.map(({ kind }) => kind),
    ['connected', 'event', 'event', 'disconnected', 'connected', 'event'],
  )
  assert.deepEqual(
    requests.map(({ headers }) => headers['last-event-id']),
    ['0', '2'],
  )
})

test('a stream that the server ends is reopened after the pause it asked for', async (t) => {
  const { url } = await scriptedGateway(t, {
    streams: [{ text: 'retry: 60\n\n' }, { open: true, text: durable(1, 'turn.started') }],
  })
  const began = performance.now()
  await take(url, 4)
  assert.ok(performance.now() - began >= 55)
})

test('a gateway that is overloaded is asked again; one that refuses is believed', async (t) => {
  const busy = await scriptedGateway(t, {
    streams: [{ status: 503 }, { status: 429 }, { open: true, text: durable(1, 'turn.started') }],
  })
  assert.deepEqual(
    (await take(busy.url, 4)).map(({ kind }) => kind),
    ['disconnected', 'disconnected', 'connected', 'event'],
  )
  const none = await scriptedGateway(t, {
    streams: [{ status: 404, text: JSON.stringify({ detail: 'There is no such session' }) }],
  })
  await assert.rejects(take(none.url, 1), /There is no such session/)
})

test('a gateway that is not there is waited for', async () => {
  const [first] = await take('http://127.0.0.1:1', 1)
  assert.ok(first?.kind === 'disconnected')
  assert.match(first.reason, /ECONNREFUSED|bad port/)
})

test('what a newer gateway sends beside events and pieces is passed over', async (t) => {
  const { url } = await scriptedGateway(t, {
    streams: [{ open: true, text: `event: weather\ndata: {}\n\n${durable(1, 'turn.started')}` }],
  })
  assert.deepEqual(
    (await take(url, 2)).map(({ kind }) => kind),
    ['connected', 'event'],
  )
})
