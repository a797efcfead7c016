import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { replayEvents, type EventLine } from '../../../local/replay/index.ts'

interface Target {
  readonly url: string
  readonly received: { readonly headers: IncomingHttpHeaders; readonly body: string }[]
}

async function target(t: TestContext, statuses: readonly number[]): Promise<Target> {
  const received: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, answer) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      answer.writeHead(statuses[received.length - 1] ?? 200).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received }
}

async function* given(...ids: readonly string[]): AsyncGenerator<EventLine> {
  for (const [index, id] of ids.entries()) {
    yield {
      kind: 'event',
      line: index + 1,
      event: {
        specversion: '1.0',
        id,
        source: '/s',
        type: 't',
        datacontenttype: 'application/json',
        data: { id },
        extensions: { sluicetopic: 'orders' },
      },
    }
  }
}

test('events arrive one by one, in order, as binary CloudEvents', async (t) => {
  const { url, received } = await target(t, [])
  const report = await replayEvents(given('a', 'b', 'c'), { url, timeoutMs: 5_000 })
  assert.deepEqual(
    received.map(({ headers, body }) => [headers['ce-id'], headers['ce-sluicetopic'], body]),
    [
      ['a', 'orders', '{"id":"a"}'],
      ['b', 'orders', '{"id":"b"}'],
      ['c', 'orders', '{"id":"c"}'],
    ],
  )
  assert.deepEqual([...report.answers], [[200, 3]])
  assert.deepEqual(report.failures, [])
})

test('a refused event is reported with its line, and the rest still goes out', async (t) => {
  const { url, received } = await target(t, [202, 400, 202])
  const report = await replayEvents(given('a', 'b', 'c'), { url, timeoutMs: 5_000 })
  assert.equal(received.length, 3)
  assert.deepEqual(
    [...report.answers],
    [
      [202, 2],
      [400, 1],
    ],
  )
  assert.deepEqual(report.failures, [{ line: 2, reason: 'status 400' }])
})

test('a function that is not there fails every event and says why', async () => {
  const report = await replayEvents(given('a'), { url: 'http://127.0.0.1:1/', timeoutMs: 5_000 })
  assert.equal(report.answers.size, 0)
  assert.match(report.failures[0]?.reason ?? '', /^no answer: /)
})

test('with new ids the same events are handled anew each time', async (t) => {
  const { url, received } = await target(t, [])
  const options = { url, timeoutMs: 5_000, newIds: true }
  await replayEvents(given('a', 'b'), options)
  await replayEvents(given('a', 'b'), options)
  const ids = received.map(({ headers }) => headers['ce-id'])
  assert.equal(new Set(ids).size, 4)
  assert.ok(!ids.includes('a'))
  assert.deepEqual(
    received.map(({ body }) => body),
    ['{"id":"a"}', '{"id":"b"}', '{"id":"a"}', '{"id":"b"}'],
  )
})
