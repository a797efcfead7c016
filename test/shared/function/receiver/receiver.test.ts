import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { RejectedError, RetryLaterError } from '../../../../shared/errors/index.ts'
import { atEnd, until } from '../../../support/index.ts'
import { exchange, openConnection, post } from '../raw-http.ts'
import { anyEvent, message, messageHeaders, startEventServer } from './start-event-server.ts'

const problemOf = (body: string) => JSON.parse(body) as Record<string, unknown>
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('a valid event reaches the handler and is answered 200 without a body', async (t) => {
  const server = await startEventServer(t)
  const answer = await exchange(server.port, post(messageHeaders(), message()))
  assert.deepEqual([answer.status, answer.headers['content-length'], answer.body], [200, '0', ''])
  assert.equal(server.events[0]?.type, 'conversation.message.received.v1')
  assert.deepEqual(server.events[0]?.data, { session_id: 's1', turn_id: 't1', message: 'hello' })
})

test('head and body of every answer leave together in one write, with an explicit length', async (t) => {
  const writes = countServerWrites(t)
  const server = await startEventServer(t, {
    handler: async () => {
      throw new RejectedError({ reason: 'no' })
    },
  })
  const requests = [post(messageHeaders(), message()), post({}, 'x'), post(messageHeaders(), 'x')]
  for (const request of requests) {
    const answer = await exchange(server.port, request)
    assert.ok(Number(answer.headers['content-length']) > 0)
    assert.equal(answer.headers['transfer-encoding'], undefined)
  }
  assert.equal(writes.count, requests.length)
})

/** Counts what servers of this process hand to the system. A client cannot tell: two quick writes arrive as one. */
function countServerWrites(t: TestContext): { readonly count: number } {
  const counted = { count: 0 }
  const prototype = Socket.prototype as unknown as { _writeGeneric: (...args: unknown[]) => unknown }
  const original = prototype._writeGeneric
  prototype._writeGeneric = function (this: Socket & { readonly server?: unknown }, ...args) {
    if (this.server !== undefined && this.server !== null) counted.count += 1
    return original.apply(this, args)
  }
  atEnd(t, () => (prototype._writeGeneric = original))
  return counted
}

test('kne- headers hold nothing but letters and digits, since a hyphen would jam the record', async (t) => {
  const server = await startEventServer(t)
  const answer = await exchange(server.port, post(messageHeaders(), '{}'))
  const names = Object.keys(answer.headers).filter((name) => name.startsWith('kne-'))
  assert.deepEqual(names, ['kne-sluicecause'])
  assert.ok(names.every((name) => /^kne-[a-z0-9]+$/.test(name)))
  assert.equal(answer.headers['kne-sluicecause'], 'data_invalid')
})

test('what the handler throws decides between final and later', async (t) => {
  const thrown: Record<string, unknown> = {
    rejected: new RejectedError({ reason: 'never' }),
    'rejected with a code that a source would retry': new RejectedError({ code: 'not_found', reason: 'never' }),
    later: new RetryLaterError({ afterMs: 2_500, reason: 'busy' }),
    error: new Error('secret-canary'),
    undefined,
  }
  const server = await startEventServer(t, {
    handler: async ({ id }) => {
      throw thrown[id] as Error
    },
  })
  const answers = await Promise.all(
    Object.keys(thrown).map((id) => exchange(server.port, post(messageHeaders({ 'ce-id': id }), message()))),
  )
  assert.deepEqual(
    answers.map(({ status, headers, body }) => [status, headers['retry-after'], problemOf(body)['code']]),
    [
      [422, undefined, 'rejected'],
      [422, undefined, 'not_found'],
      [503, '3', 'retry_later'],
      [503, '1', 'handler_failed'],
      [503, '1', 'handler_failed'],
    ],
  )
  for (const { body } of answers) assert.equal(body.includes('canary'), false)
})

test('a problem document has type, title, status, code and the trace id of the record', async (t) => {
  const server = await startEventServer(t)
  const answer = await exchange(server.port, post(messageHeaders({ 'ce-traceparent': traceparent }), '{}'))
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.deepEqual(problemOf(answer.body), {
    type: 'urn:sluice:error:data_invalid',
    title: 'The data of the event does not fit its schema',
    status: 400,
    code: 'data_invalid',
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  })
})

test('the trace of the record wins over that of the request, and the handler logs under it', async (t) => {
  const server = await startEventServer(t, { handler: async (_event, { log }) => log.info('working') })
  const foreign = '00-11111111111111111111111111111111-2222222222222222-01'
  await exchange(server.port, post(messageHeaders({ 'ce-traceparent': traceparent, traceparent: foreign }), message()))
  await exchange(server.port, post(messageHeaders({ 'ce-id': 'id-2', traceparent: foreign }), message()))
  const [working, answered, second] = server.records()
  assert.deepEqual(
    [working, answered, second].map((record) => record?.['trace_id']),
    ['4bf92f3577b34da6a3ce929d0e0e4736', '4bf92f3577b34da6a3ce929d0e0e4736', '1'.repeat(32)],
  )
  assert.equal(working?.['span_id'], answered?.['span_id'])
  assert.notEqual(working?.['span_id'], '00f067aa0ba902b7')
})

test('one event leaves one log line of ours, with what became of it', async (t) => {
  const server = await startEventServer(t)
  await exchange(server.port, post(messageHeaders(), message()))
  const [record, ...more] = server.records()
  assert.deepEqual(more, [])
  assert.deepEqual(
    ['message', 'event_id', 'event_type', 'outcome', 'status', 'level'].map((name) => record?.[name]),
    ['event answered', 'id-1', 'conversation.message.received.v1', 'done', 200, 'info'],
  )
})

test('every request is counted once, by outcome', async (t) => {
  const server = await startEventServer(t)
  await exchange(server.port, post(messageHeaders(), message()))
  await exchange(server.port, post(messageHeaders(), 'x'))
  await exchange(server.port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const { values } = await server.instruments.eventsReceived.get()
  assert.deepEqual(
    values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.outcome, value]),
    [
      ['done', 1],
      ['invalid', 2],
    ],
  )
  const seconds = await server.instruments.receiveSeconds.get()
  assert.equal(seconds.values.find(({ metricName }) => metricName === 'sluice_receive_seconds_count')?.value, 3)
})

test('100 distinct event types add no label value', async (t) => {
  const server = await startEventServer(t, { consumes: anyEvent })
  for (let n = 0; n < 100; n += 1) await exchange(server.port, post(messageHeaders({ 'ce-type': `t${n}` }), message()))
  assert.equal(server.events.length, 100)
  const { values } = await server.instruments.eventsReceived.get()
  assert.deepEqual(
    values.map(({ labels }) => labels.outcome),
    ['done'],
  )
})

test('a connection is kept for the next event', async (t) => {
  const server = await startEventServer(t)
  const connection = await openConnection(server.port)
  for (const id of ['a', 'b', 'c']) {
    connection.write(post(messageHeaders({ 'ce-id': id }), message()))
    assert.equal((await connection.answer()).status, 200)
  }
  connection.socket.destroy()
  assert.deepEqual(
    server.events.map(({ id }) => id),
    ['a', 'b', 'c'],
  )
})

test('health is answered on the serving port, only to GET and HEAD', async (t) => {
  const server = await startEventServer(t, {
    answer: (path) => (path === '/ready' ? { status: 503, body: '{"status":"not-ready"}' } : undefined),
  })
  const get = await exchange(server.port, 'GET /ready?x=1 HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.deepEqual([get.status, get.body], [503, '{"status":"not-ready"}'])
  assert.equal((await exchange(server.port, 'GET /other HTTP/1.1\r\nhost: x\r\n\r\n')).status, 405)
})

test('a handler hears through its signal that the caller went away', async (t) => {
  const reasons: unknown[] = []
  const server = await startEventServer(t, {
    handler: async (_event, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      reasons.push((signal.reason as Error).message)
    },
  })
  const connection = await openConnection(server.port)
  connection.write(post(messageHeaders(), message()))
  await until('the handler runs', () => server.events.length === 1)
  connection.socket.destroy()
  await until('the handler heard of it', () => reasons.length === 1)
  assert.deepEqual(reasons, ['the caller went away'])
})

test('a caller that leaves in the middle of its body runs nothing and is counted', async (t) => {
  const server = await startEventServer(t)
  const connection = await openConnection(server.port)
  connection.write(post(messageHeaders({ 'content-length': '1000' }), 'half'))
  connection.socket.destroySoon()
  const goneCount = async () =>
    (await server.instruments.eventsReceived.get()).values.find(({ labels }) => labels.outcome === 'gone')?.value === 1
  await until('the request is counted as gone', goneCount)
  assert.deepEqual(server.events, [])
})
