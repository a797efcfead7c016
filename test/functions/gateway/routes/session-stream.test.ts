import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { sessionChannel, type SessionSignal } from '../../../../shared/events/index.ts'
import { readEventPage } from '../../../../functions/gateway/session-queries.ts'
import { atEnd, until } from '../../../support/index.ts'
import { call, watch, type StreamedEvent } from '../../support/client.ts'
import { createSession, startGateway, storeEvents, type GatewayServer } from '../../support/gateway-server.ts'

const started = 'conversation.turn.started.v1'
const completed = 'conversation.turn.completed.v1'

const positions = (events: readonly StreamedEvent[]): readonly number[] => events.map(({ id }) => Number(id))
const upTo = (last: number, first = 1): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => n + first)

const signal = (
  { channel }: GatewayServer,
  sessionId: string,
  ...signals: readonly SessionSignal[]
): Promise<unknown> =>
  Promise.all(signals.map((one) => channel.publish(sessionChannel('local', sessionId), JSON.stringify(one))))

const piece = (
  text: string,
  index: number,
  more: Partial<Extract<SessionSignal, { kind: 'delta' }>> = {},
): SessionSignal => ({
  kind: 'delta',
  turn_id: 't1',
  round: 1,
  attempt: 1,
  index,
  text,
  ...more,
})

/** A client that connects and does not read. */
function deafClient(url: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
      socket.once('readable', () => resolve(socket))
    })
    socket.once('error', reject)
  })
}

/** What a scrape of the first instance reads; 0 for what it does not know yet. */
async function metric({ services }: GatewayServer, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${services[0]?.operationsPort ?? 0}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`sluice_${name}{`) && one.includes(labels))
  return Number(line?.split(' ')[1] ?? 0)
}

test('streams', { timeout: 120_000 }, async (t) => {
  const gateway = await startGateway(t, { instances: 2, pollMs: 60_000 })
  const { database, urls, url } = gateway
  const [one = '', two = ''] = urls
  const streamUrl = (base: string, sessionId: string, after?: number): string =>
    `${base}/v1/session/${sessionId}/events${after === undefined ? '' : `?after=${after}`}`

  await t.test('what was stored before comes first, what is signalled comes then, in order and once', async (t) => {
    const id = await createSession(database, 'order')
    await storeEvents(database, id, { types: Array.from({ length: 250 }, () => started) })
    const stream = await watch(t, streamUrl(url, id))
    await until('the past is there', () => stream.durable().length === 250)
    for (let n = 0; n < 5; n += 1) {
      const position = await storeEvents(database, id, { types: [started, completed] })
      await signal(gateway, id, { kind: 'durable', position }, { kind: 'durable', position })
    }
    await until('the rest is there', () => stream.durable().length === 260)
    assert.deepEqual(positions(stream.durable()), upTo(260))
    assert.deepEqual(stream.durable()[0]?.data, {
      ...stream.durable()[0]?.data,
      position: 1,
      type: started,
      data: { turn_id: 't1', number: 1 },
    })
  })

  await t.test('two instances tell two clients the same events in the same order while many write', async (t) => {
    const id = await createSession(database, 'same-order')
    const streams = [await watch(t, streamUrl(one, id)), await watch(t, streamUrl(two, id))]
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const position = await storeEvents(database, id, { types: [started, completed], turnId: `turn-${n}` })
        await signal(gateway, id, { kind: 'durable', position })
      }),
    )
    for (const stream of streams) await until('all are there', () => stream.durable().length === 80)
    const [first, second] = streams.map((stream) =>
      stream.durable().map(({ id: position, data }) => `${position} ${String(data['event_id'])}`),
    )
    assert.deepEqual(first, second)
    assert.deepEqual(positions(streams[0]?.durable() ?? []), upTo(80))
  })

  await t.test(
    'W-29: a stream goes on after Last-Event-ID, at any instance, and the header counts before the query',
    async (t) => {
      const id = await createSession(database, 'resume')
      await storeEvents(database, id, { types: Array.from({ length: 9 }, () => started) })
      const byHeader = await watch(t, streamUrl(two, id, 8), { 'last-event-id': '4' })
      const byQuery = await watch(t, streamUrl(one, id, 7))
      const fromEnd = await watch(t, streamUrl(one, id, 9))
      await until('both are there', () => byHeader.durable().length === 5 && byQuery.durable().length === 2)
      const position = await storeEvents(database, id, { types: [completed] })
      await signal(gateway, id, { kind: 'durable', position })
      await until('the new one is there', () =>
        [byHeader, byQuery, fromEnd].every((stream) => stream.durable().at(-1)?.id === '10'),
      )
      assert.deepEqual(positions(byHeader.durable()), upTo(10, 5))
      assert.deepEqual(positions(fromEnd.durable()), [10])
    },
  )

  await t.test('a position whose next events were pruned is gone, and says where to begin', async (t) => {
    const id = await createSession(database, 'pruned')
    await storeEvents(database, id, { types: Array.from({ length: 5 }, () => started) })
    await database.query('DELETE FROM agent.session_event WHERE session_id = $1 AND position <= 3', [id])
    const answer = await call(streamUrl(url, id, 2))
    assert.deepEqual(
      [answer.status, answer.body['code'], answer.body['resync'], answer.body['after']],
      [410, 'gone', true, 3],
    )
    const stream = await watch(t, streamUrl(url, id))
    await until('who names no position begins with what is kept', () => stream.durable().length === 2)
  })

  await t.test('pieces come between the start and the end of their turn, without an id', async (t) => {
    const id = await createSession(database, 'pieces')
    const stream = await watch(t, streamUrl(url, id))
    const begun = await storeEvents(database, id, { types: [started] })
    await signal(gateway, id, { kind: 'durable', position: begun }, piece('Hel', 0), piece('lo', 1))
    await until('both are there', () => stream.text('t1') === 'Hello')
    const ended = await storeEvents(database, id, { types: [completed] })
    await signal(gateway, id, { kind: 'durable', position: ended }, piece('late', 2))
    await until('the end is there', () => stream.durable().length === 2)
    assert.deepEqual(
      stream.events.map(({ id: position, type }) => `${position ?? '-'} ${type}`),
      [`1 ${started}`, '- delta', '- delta', `2 ${completed}`],
    )
    assert.deepEqual(stream.events[1]?.data, { turn_id: 't1', round: 1, attempt: 1, index: 0, text: 'Hel' })
  })

  await t.test('a piece that overtakes the hint of its turn’s start comes after the start all the same', async (t) => {
    const id = await createSession(database, 'overtaken')
    const stream = await watch(t, streamUrl(url, id))
    await until('the stream is open', () => stream.retries.length > 0)
    await storeEvents(database, id, { types: [started] })
    await signal(gateway, id, piece('Hi', 0))
    await until('the piece is there', () => stream.text('t1') === 'Hi')
    assert.deepEqual(
      stream.events.map(({ type }) => type),
      [started, 'delta'],
    )
  })

  await t.test('pieces of an attempt that was replaced are not told any more', async (t) => {
    const id = await createSession(database, 'attempts')
    const stream = await watch(t, streamUrl(url, id))
    const position = await storeEvents(database, id, { types: [started] })
    await signal(
      gateway,
      id,
      { kind: 'durable', position },
      piece('old', 0),
      piece('new', 0, { attempt: 2 }),
      piece('zombie', 1),
      piece('er', 1, { attempt: 2 }),
    )
    await until('the last piece is there', () => stream.text('t1') === 'newer')
    assert.ok(stream.events.every(({ data }) => data['text'] !== 'zombie'))
  })

  await t.test('29: no content can begin another field or event', async (t) => {
    const id = await createSession(database, 'injection')
    const stream = await watch(t, streamUrl(url, id))
    const position = await storeEvents(database, id, { types: [started] })
    const text = 'x\n\nevent: evil\ndata: {}\nid: 99\r\n\r\n: \u2028'
    await signal(gateway, id, { kind: 'durable', position }, piece(text, 0))
    await until('the piece is there', () => stream.text('t1') !== '')
    assert.equal(stream.text('t1'), text)
    assert.deepEqual(
      stream.events.map(({ type }) => type),
      [started, 'delta'],
    )
  })

  await t.test('what is not a signal on the channel is not told', async (t) => {
    const id = await createSession(database, 'noise')
    const stream = await watch(t, streamUrl(url, id))
    await until('the stream is open', () => stream.retries.length > 0)
    for (const noise of ['', 'null', '{"kind":"durable","position":"x"}', '{"kind":"delta"}', '[]', 'x']) {
      await gateway.channel.publish(sessionChannel('local', id), noise)
    }
    const position = await storeEvents(database, id, { types: [started] })
    await signal(gateway, id, { kind: 'durable', position })
    await until('the event is there', () => stream.events.length === 1)
  })
})

test('a lost signal only delays: a stream looks by itself', { timeout: 30_000 }, async (t) => {
  const { database, url } = await startGateway(t, { pollMs: 50 })
  const id = await createSession(database, 'unsignalled')
  const stream = await watch(t, `${url}/v1/session/${id}/events`)
  for (let n = 1; n <= 3; n += 1) {
    await storeEvents(database, id, { types: [started] })
    await until('the event is there', () => stream.durable().length === n)
  }
})

test('W-29: an idle stream has a heartbeat, and says at once when to come back', { timeout: 30_000 }, async (t) => {
  const { database, url } = await startGateway(t, { sse: { heartbeatMs: 20, retryMs: 1_234 } })
  const id = await createSession(database, 'idle')
  const stream = await watch(t, `${url}/v1/session/${id}/events`)
  await until('it beats', () => stream.comments.length >= 3)
  assert.deepEqual([stream.retries[0], stream.events.length], [1_234, 0])
})

test('27: a client that never reads is cut at its buffer, and the others go on', { timeout: 60_000 }, async (t) => {
  const gateway = await startGateway(t, { pollMs: 60_000 })
  const id = await createSession(gateway.database, 'deaf')
  const deaf = await deafClient(gateway.url, `/v1/session/${id}/events`)
  atEnd(t, () => deaf.destroy())
  deaf.pause()
  const stream = await watch(t, `${gateway.url}/v1/session/${id}/events`)
  const position = await storeEvents(gateway.database, id, { types: [started] })
  await signal(gateway, id, { kind: 'durable', position })
  await until('both are open', async () => (await metric(gateway, 'streams_open')) === 2)
  let index = 0
  let slowest = 0
  await until(
    'the deaf one was cut',
    async () => {
      await signal(gateway, id, piece('x'.repeat(60_000), index++))
      await until('the reader keeps up', () => stream.text('t1').length === index * 60_000)
      slowest = Math.max(slowest, await metric(gateway, 'streams_slowest_bytes'))
      return (await metric(gateway, 'streams_open')) === 1
    },
    { limitMs: 30_000, everyMs: 1 },
  )
  assert.ok(slowest > 0, 'a scrape saw it fall behind')
  assert.equal(await metric(gateway, 'streams_ended_total', 'cause="buffer-full"'), 1)
})

test('27: more streams of a tenant than the limit are 429 until one ends', { timeout: 30_000 }, async (t) => {
  const { database, url } = await startGateway(t, { env: { SLUICE_STREAMS_PER_TENANT: '3' } })
  const id = await createSession(database, 'crowded')
  const streamUrl = `${url}/v1/session/${id}/events`
  const streams = [await watch(t, streamUrl), await watch(t, streamUrl), await watch(t, streamUrl)]
  const refused = await call(streamUrl)
  assert.deepEqual([refused.status, refused.body['code']], [429, 'too_many_streams'])
  assert.match(String(refused.headers.get('retry-after')), /^\d+$/)
  await streams[0]?.close()
  const again = await until('a place is free', async () => {
    const response = await fetch(streamUrl)
    if (response.status === 200) return response
    await response.text()
    return undefined
  })
  await again.body?.cancel()
})

test('on a drain streams end with the hint, after the last events', { timeout: 30_000 }, async (t) => {
  const gateway = await startGateway(t, { pollMs: 60_000, sse: { retryMs: 777 } })
  const id = await createSession(gateway.database, 'drained')
  const stream = await watch(t, `${gateway.url}/v1/session/${id}/events`)
  await until('the stream is open', () => stream.retries.length === 1)
  const receipt = await gateway.services[0]?.drain({ totalMs: 4_000 })
  await stream.ended
  assert.deepEqual(stream.retries, [777, 777])
  assert.deepEqual([receipt?.failedSteps, receipt?.released], [[], []])
})

test('a client that leaves while its stream is being opened leaves nothing behind', { timeout: 30_000 }, async (t) => {
  const gateway = await startGateway(t, { env: { SLUICE_STREAMS_PER_TENANT: '4' } })
  const id = await createSession(gateway.database, 'hasty')
  const { hostname, port } = new URL(gateway.url)
  for (let n = 0; n < 40; n += 1) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`GET /v1/session/${id}/events HTTP/1.1\r\nHost: x\r\n\r\n`, () => socket.destroy())
      })
      socket.once('close', () => resolve())
    })
  }
  const open = await until('the places are free again', async () => {
    const response = await fetch(`${gateway.url}/v1/session/${id}/events`)
    return response.status === 200 ? response : undefined
  })
  await open.body?.cancel()
})

test(
  'a client that does not read keeps a few events of the past in memory, not a page of a hundred',
  { timeout: 60_000 },
  async (t) => {
    const gateway = await startGateway(t, {})
    const { database, url } = gateway
    const id = await createSession(database, 'large')
    await storeEvents(database, id, { types: Array.from({ length: 60 }, () => started), padding: 50_000 })
    const stream = await watch(t, `${url}/v1/session/${id}/events`)
    await until('all is there', () => stream.durable().length === 60)
    assert.deepEqual(positions(stream.durable()), upTo(60))
    const bytes = 131_072
    const { events, more } = await readEventPage(
      database,
      { tenant: 'local', sessionId: id },
      { after: 0, limit: 100, bytes },
    )
    assert.deepEqual([events.length, more], [2, true])
    const one = await readEventPage(database, { tenant: 'local', sessionId: id }, { after: 59, limit: 100, bytes: 10 })
    assert.deepEqual([one.events.length, one.more], [1, false])
  },
)
