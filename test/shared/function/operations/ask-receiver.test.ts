import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { askReceiver } from '../../../../shared/function/operations/ask-receiver.ts'
import { atEnd, startLoopbackServer } from '../../../support/index.ts'

const limit = { timeout: 10_000 }
const never = new AbortController().signal

test('a server that answers is alive, on every address too; a closed port is not', limit, async (t) => {
  const { port, requests } = await startLoopbackServer(
    t,
    (_request, response) => void response.writeHead(503).end('{}'),
  )
  for (const host of ['127.0.0.1', '0.0.0.0']) await askReceiver({ host, port }, never)
  assert.deepEqual(
    requests.map(({ url, headers }) => [url, headers.connection]),
    [
      ['/live', 'close'],
      ['/live', 'close'],
    ],
  )
  await assert.rejects(askReceiver({ host: '127.0.0.1', port: 1 }, never), { code: 'ECONNREFUSED' })
})

test('a port that takes connections and never answers rejects with the signal', limit, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const { port } = server.address() as AddressInfo
  await assert.rejects(askReceiver({ host: '127.0.0.1', port }, AbortSignal.timeout(50)), { name: 'AbortError' })
})
