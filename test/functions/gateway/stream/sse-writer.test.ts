import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  createSseWriter,
  sseDefaults,
  type SseWriter,
  type SseWriterOptions,
} from '../../../../functions/gateway/stream/sse-writer.ts'
import type { StreamEnding } from '../../../../functions/gateway/stream/stream-meter.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { atEnd, createManualClock, until } from '../../../support/index.ts'

interface Opened {
  readonly writer: SseWriter
  readonly response: ServerResponse
  /** The client's side. It reads nothing until the test does. */
  readonly incoming: IncomingMessage
  /** What the writer said of its end. */
  readonly endings: readonly StreamEnding[]
}

async function open(t: TestContext, options: Partial<SseWriterOptions> = {}, time = clock): Promise<Opened> {
  const served = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => served.resolve(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  request.on('error', () => undefined)
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  const response = await served.promise
  const endings: StreamEnding[] = []
  const onEnd = (cause: StreamEnding): void => void endings.push(cause)
  const writer = createSseWriter(response, { ...sseDefaults, ...options }, { clock: time, onEnd })
  const [incoming] = await answered
  incoming.on('error', () => undefined)
  atEnd(t, () => {
    request.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { writer, response, incoming, endings }
}

const large = { type: 'x', data: { text: 'x'.repeat(60_000) } }

test('an event is its id, type and JSON on one line, and the hint comes first', async (t) => {
  const { writer, incoming } = await open(t, { retryMs: 9 })
  writer.send({ id: 7, type: 'a.b', data: { text: 'x\ny' } })
  writer.send({ type: 'delta', data: { text: '' } })
  writer.end('failed')
  const chunks = await incoming.toArray()
  assert.equal(
    Buffer.concat(chunks as Buffer[]).toString(),
    'retry: 9\n\nid: 7\nevent: a.b\ndata: {"text":"x\\ny"}\n\nevent: delta\ndata: {"text":""}\n\nretry: 9\n\n',
  )
})

test('what waits for a client that does not read never grows beyond the buffer by more than one event', async (t) => {
  const { writer, response, endings } = await open(t, { bufferBytes: 128 * 1_024 })
  let most = 0
  for (let sent = 0; sent < 1_000 && !writer.ended.aborted; sent += 1) {
    writer.send(large)
    most = Math.max(most, writer.waiting())
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(writer.ended.aborted)
  assert.ok(most <= 128 * 1_024 + 61_000, `${most} bytes waited`)
  assert.deepEqual(endings, ['buffer-full'])
  await until('the socket is given up', () => response.destroyed)
})

test('a stream ends itself, with the hint, before anything between would cut it', async (t) => {
  const time = createManualClock()
  const { writer, incoming, endings } = await open(t, { longestMs: 40_000, heartbeatMs: 15_000, retryMs: 9 }, time)
  await time.advance(39_999)
  assert.equal(writer.ended.aborted, false)
  await time.advance(1)
  assert.equal(writer.ended.aborted, true)
  const text = Buffer.concat((await incoming.toArray()) as Buffer[]).toString()
  assert.equal(text, 'retry: 9\n\n: alive\n\n: alive\n\nretry: 9\n\n')
  assert.deepEqual(endings, ['time-up'])
})

test('room comes back when the client reads', async (t) => {
  const { writer, response, incoming } = await open(t)
  while (!response.writableNeedDrain) writer.send(large)
  const room = writer.room()
  incoming.resume()
  await room
  assert.equal(writer.ended.aborted, false)
})

test('a client that reads nothing for the stall limit is cut, and who waits for room hears of it', async (t) => {
  const time = createManualClock()
  const { writer, response, endings } = await open(
    t,
    { stallMs: 1_000, heartbeatMs: 60_000, bufferBytes: 64 * 1_024 * 1_024 },
    time,
  )
  while (!response.writableNeedDrain || response.writableLength < 8_000_000) writer.send(large)
  const room = writer.room()
  const refused = assert.rejects(room)
  await time.advance(999)
  assert.equal(writer.ended.aborted, false)
  await time.advance(1)
  assert.equal(writer.ended.aborted, true)
  await refused
  await assert.rejects(writer.room())
  assert.deepEqual(endings, ['stalled'])
})

test('after the end nothing is written, and a second end changes nothing', async (t) => {
  const { writer, incoming, endings } = await open(t, { retryMs: 9 })
  writer.end('draining')
  writer.send(large)
  writer.end('failed')
  assert.equal(Buffer.concat((await incoming.toArray()) as Buffer[]).toString(), 'retry: 9\n\nretry: 9\n\n')
  assert.deepEqual(endings, ['draining'])
})

test('a client that leaves ends the stream and its heartbeat', async (t) => {
  const time = createManualClock()
  const { writer, incoming, endings } = await open(t, {}, time)
  assert.equal(time.waiting.length, 2) // heartbeat and end
  incoming.destroy()
  await until('the stream has ended', () => writer.ended.aborted)
  assert.deepEqual(time.waiting, [])
  assert.deepEqual(endings, ['left'])
})

test('a heartbeat for which there is no room ends the stream, and no other follows', async (t) => {
  const time = createManualClock()
  const { writer, response, endings } = await open(t, { heartbeatMs: 1_000, bufferBytes: 1_000_000 }, time)
  writer.send({ type: 'x', data: { text: 'x'.repeat(16_000_000) } }) // more than the network holds
  await time.advance(1_000)
  assert.deepEqual(endings, ['buffer-full'])
  response.destroy()
  await once(response, 'close')
  assert.deepEqual(time.waiting, [])
})
