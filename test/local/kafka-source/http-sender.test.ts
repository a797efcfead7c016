import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createHttpSender, type SendOutcome, type SinkRequest } from '../../../local/kafka-source/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { createManualClock, until } from '../../support/index.ts'

const options = { timeoutMs: 5_000, signal: new AbortController().signal }
const headers = [
  ['user-agent', 'Vert.x-WebClient/4.5.21'],
  ['Prefer', 'reply'],
  ['ce-id', 'Z\u00fcrich'],
] as const

async function listening(t: TestContext, server: Server | TcpServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function senderOf(t: TestContext): ReturnType<typeof createHttpSender> {
  const sender = createHttpSender({ clock: systemClock })
  t.after(() => sender.close())
  return sender
}

/** A server that records what was on the wire and answers each request head with `answer`. */
async function rawServer(
  t: TestContext,
  answer: string,
): Promise<{ readonly host: string; readonly received: () => string; readonly connections: () => number }> {
  let received = ''
  let connections = 0
  const server = createTcpServer((socket) => {
    connections += 1
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (received.includes('\r\n\r\n')) socket.write(answer)
    })
    t.after(() => void socket.destroy())
  })
  return { host: await listening(t, server), received: () => received, connections: () => connections }
}

const request = (host: string, body: Buffer | null): SinkRequest => ({
  method: 'POST',
  url: `http://${host}/events/in?tenant=a%20b`,
  headers: [...headers, ...(body === null ? [] : [['content-length', String(body.length)] as const]), ['host', host]],
  body,
})

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
const statusOf = (outcome: SendOutcome): number | string => (outcome.kind === 'answer' ? outcome.status : 'broken')

test('the wire holds exactly the headers of the request, in order, with case, as Latin-1', async (t) => {
  const { host, received } = await rawServer(t, ok)
  await senderOf(t).send(request(host, Buffer.from('{}')), options)
  assert.equal(
    received(),
    `POST /events/in?tenant=a%20b HTTP/1.1\r\nuser-agent: Vert.x-WebClient/4.5.21\r\nPrefer: reply\r\nce-id: Z\u00fcrich\r\ncontent-length: 2\r\nhost: ${host}\r\n\r\n{}`,
  )
})

test('a tombstone has no body and no content-length', async (t) => {
  const { host, received } = await rawServer(t, ok)
  await senderOf(t).send(request(host, null), options)
  assert.doesNotMatch(received(), /content-length|transfer-encoding|connection/i)
  assert.match(received(), /\r\n\r\n$/)
})

test('an empty value has content-length 0', async (t) => {
  const { host, received } = await rawServer(t, ok)
  await senderOf(t).send(request(host, Buffer.alloc(0)), options)
  assert.match(received(), /content-length: 0/)
})

test('connections are kept and used again', async (t) => {
  const { host, connections } = await rawServer(t, ok)
  const sender = senderOf(t)
  for (let index = 0; index < 3; index += 1)
    assert.equal(statusOf(await sender.send(request(host, Buffer.from('{}')), options)), 200)
  assert.equal(connections(), 1)
})

test('nothing listens: broken, not an error', async (t) => {
  const server = createServer()
  const host = await listening(t, server)
  server.close()
  await once(server, 'close')
  assert.equal(statusOf(await senderOf(t).send(request(host, null), options)), 'broken')
})

test('no head within the timeout: broken, and the connection is closed', async (t) => {
  let closed = false
  const server = createServer((incoming) => incoming.socket.on('close', () => (closed = true)))
  const host = await listening(t, server)
  const outcome = await senderOf(t).send(request(host, Buffer.from('{}')), { ...options, timeoutMs: 50 })
  assert.deepEqual(outcome, { kind: 'broken', reason: 'no answer within 50 ms' })
  await until('the connection is closed', () => closed)
})

test('the timeout ends with the head: a body that comes later is waited for', async (t) => {
  const finish = Promise.withResolvers<void>()
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(200).write('a')
    void finish.promise.then(() => outgoing.end('b'))
  })
  const host = await listening(t, server)
  const clock = createManualClock()
  const sender = createHttpSender({ clock })
  t.after(() => sender.close())
  const sending = sender.send(request(host, null), { ...options, timeoutMs: 50 })
  await until('the head has come, and the timer is gone', () => clock.waiting.length === 0)
  await clock.advance(60_000)
  finish.resolve()
  const outcome = await sending
  assert.equal(outcome.kind === 'answer' ? outcome.body.toString() : '', 'ab')
})

test('a connection that ends inside the body is broken', async (t) => {
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(200, { 'content-length': '10' }).write('half', () => outgoing.socket?.destroy())
  })
  const host = await listening(t, server)
  assert.equal(statusOf(await senderOf(t).send(request(host, null), options)), 'broken')
})

test('an interim answer is not the answer', async (t) => {
  const { host } = await rawServer(t, `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}`)
  assert.equal(statusOf(await senderOf(t).send(request(host, null), options)), 200)
})

test('an abort closes the connection and rejects', async (t) => {
  let closed = false
  const arrived = Promise.withResolvers<void>()
  const server = createServer((incoming) => {
    incoming.socket.on('close', () => (closed = true))
    arrived.resolve()
  })
  const host = await listening(t, server)
  const abort = new AbortController()
  const sending = senderOf(t).send(request(host, null), { timeoutMs: 5_000, signal: abort.signal })
  await arrived.promise
  abort.abort(new Error('stopped'))
  await assert.rejects(sending, /stopped/)
  await until('the connection is closed', () => closed)
})

test('a 413 before the body was read, with the body read and dropped, is an answer', async (t) => {
  const server = createServer((incoming, outgoing) => {
    outgoing.writeHead(413).end('too large')
    incoming.resume()
  })
  const host = await listening(t, server)
  const outcome = await senderOf(t).send(request(host, Buffer.alloc(4_000_000)), options)
  assert.equal(statusOf(outcome), 413)
})

test('a 413 with the body unread and the connection closed is seen or is a broken connection', async (t) => {
  const server = createServer((incoming, outgoing) => {
    outgoing.writeHead(413, { connection: 'close' }).end('too large', () => incoming.socket.destroy())
  })
  const host = await listening(t, server)
  const outcome = await senderOf(t).send(request(host, Buffer.alloc(4_000_000)), options)
  assert.ok([413, 'broken'].includes(statusOf(outcome)), String(statusOf(outcome)))
})

test('a head over the limit of the receiver is answered by its parser with 431', async (t) => {
  let handled = false
  const host = await listening(
    t,
    createServer(() => (handled = true)),
  )
  const large = request(host, Buffer.from('{}'))
  const outcome = await senderOf(t).send(
    { ...large, headers: [['ce-x', 'a'.repeat(20_000)], ...large.headers] },
    options,
  )
  assert.equal(statusOf(outcome), 431)
  assert.equal(handled, false)
})

test('a folded header, which no parser takes, is answered with 400 without being sent', async (t) => {
  const { host, received } = await rawServer(t, ok)
  const folded = request(host, null)
  const outcome = await senderOf(t).send({ ...folded, headers: [...folded.headers, ['ce-x', 'a\n b']] }, options)
  assert.equal(statusOf(outcome), 400)
  assert.equal(received(), '')
})

test('a connection can be led elsewhere, and the request stays as it was', async (t) => {
  const { host, received } = await rawServer(t, ok)
  const port = Number(host.split(':')[1])
  const sender = createHttpSender({ clock: systemClock, dial: () => ({ host: '127.0.0.1', port }) })
  t.after(() => sender.close())
  await sender.send(request('function.example:81', null), options)
  assert.match(received(), /host: function\.example:81\r\n/)
})
