import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createOtlpSender } from '../../../shared/telemetry/otlp-sender.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { startLoopbackServer } from '../../support/index.ts'

const limit = { timeout: 60_000 }
const body = Buffer.from('{"resourceSpans":[]}')
/** No pause between the tries. */
const clock = { ...systemClock, sleep: async () => undefined }

/** A receiver that gives these answers one after the other; 0 hangs up. */
async function setUp(t: TestContext, statuses: readonly number[]) {
  const bodies: string[] = []
  const connections = new Set<unknown>()
  const { url, requests } = await startLoopbackServer(t, (request, response) => {
    const status = statuses[requests.length - 1] ?? 200
    connections.add(request.socket)
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      bodies.push(text)
      if (status === 0) request.socket.destroy()
      else response.writeHead(status, { location: '/elsewhere' }).end('{}')
    })
  })
  const sender = createOtlpSender({ url: `${url}/v1/traces`, headers: { 'x-key': 'k' }, timeoutMs: 5_000 }, { clock })
  t.after(() => sender.close())
  return { sender, requests, bodies, connections }
}

test('a body arrives as it is, with its headers, over a connection that is kept', limit, async (t) => {
  const { sender, requests, bodies, connections } = await setUp(t, [])
  for (let n = 0; n < 3; n += 1) assert.equal(await sender.send(body), '')
  assert.deepEqual(bodies, Array(3).fill(String(body)))
  const { method, url, headers } = requests[0] ?? {}
  assert.deepEqual([method, url, headers?.['x-key']], ['POST', '/v1/traces', 'k'])
  assert.deepEqual([headers?.['content-type'], headers?.['content-length']], ['application/json', '20'])
  assert.equal(connections.size, 1)
})

const cases: readonly (readonly [what: string, statuses: readonly number[], reason: string, tries: number])[] = [
  ['a receiver that sheds load is asked once more', [503, 200], '', 2],
  ['so is one that hangs up', [0, 200], '', 2],
  ['after the second try a body is lost', [503, 429, 200], 'status 429', 2],
  ['a connection that breaks twice is told by its code', [0, 0], 'ECONNRESET', 2],
  ['what the receiver refuses is not tried again', [400], 'status 400', 1],
  ['a redirect is not followed: the headers are for nobody else', [307], 'status 307', 1],
]
for (const [what, statuses, reason, tries] of cases) {
  test(what, limit, async (t) => {
    const { sender, requests } = await setUp(t, statuses)
    assert.equal(await sender.send(body), reason)
    assert.equal(requests.length, tries)
  })
}

test('nothing is under way after close, and who waits is told', limit, async (t) => {
  const { url, requests } = await startLoopbackServer(t, () => undefined)
  const sender = createOtlpSender({ url, headers: {}, timeoutMs: 60_000 }, { clock: systemClock })
  const sending = sender.send(body)
  const early = await Promise.race([sending, new Promise((resolve) => setImmediate(resolve))])
  assert.equal(early, undefined)
  sender.close()
  assert.notEqual(await sending, '')
  assert.ok(requests.length <= 1)
})

test('a receiver whose answer never ends is left when the time is up', limit, async (t) => {
  const gone = Promise.withResolvers<void>()
  const { url } = await startLoopbackServer(t, (request, response) => {
    request.resume()
    request.socket.once('close', gone.resolve)
    response.writeHead(200).write('{')
  })
  const sender = createOtlpSender({ url, headers: {}, timeoutMs: 200 }, { clock: systemClock })
  t.after(() => sender.close())
  assert.equal(await sender.send(body), 'deadline_exceeded')
  await gone.promise
})
