// Functions behind the real queue-proxy of Knative Serving. Skipped until `npm run check:knative` has built it, which needs Go.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { allotPorts } from '../../../../local/runner/index.ts'
import { temporaryFolder, until } from '../../../support/index.ts'
import { watch } from '../../../functions/support/client.ts'
import { createSession, startGateway, storeEvents } from '../../../functions/support/gateway-server.ts'
import { launchFunction, startFunction } from '../../../shared/function/function-process.ts'
import { exchange, post } from '../../../shared/function/raw-http.ts'
import { message, messageHeaders } from '../../../shared/function/receiver/start-event-server.ts'
import { kubeletProbe, queueProxyPath, startQueueProxy } from './start-queue-proxy.ts'

const skip = queueProxyPath() === undefined ? 'npm run check:knative builds queue-proxy, where Go is installed' : false
const event = (id: string, text: string) => post(messageHeaders({ 'ce-id': id }), message(text))

// One at a time: queue-proxy has fixed ports.
describe('behind queue-proxy', { skip, timeout: 240_000 }, () => {
  test('the probe of the kubelet is answered when the function is ready, and not before', async (t) => {
    const [userPort = 0] = await allotPorts(1)
    const { port } = await startQueueProxy(t, { userPort })
    let answered = false
    const probe = kubeletProbe(port).finally(() => (answered = true))
    assert.equal(answered, false)
    launchFunction(t, 'stateless-echo', { PORT: String(userPort) })
    assert.deepEqual(await probe, { status: 200, body: 'queue' })
    assert.equal((await exchange(port, event('first', 'hello'))).status, 200)
  })

  test('containerConcurrency 1: one event at a time, ten wait, and the rest gets 503 for the source to come again', async (t) => {
    const gate = join(temporaryFolder(t), 'gate')
    const child = await startFunction(t, 'stateless-echo')
    const { port } = await startQueueProxy(t, { userPort: child.port, containerConcurrency: 1 })
    const statuses: number[] = []
    const all = Array.from({ length: 14 }, async (_, n) => {
      const { status } = await exchange(port, event(`event-${n}`, `wait-for ${gate}`), { limitMs: 60_000 })
      statuses.push(status)
    })
    await until('three are refused', () => statuses.length === 3, { limitMs: 20_000 })
    await child.record('waiting')
    assert.deepEqual(statuses, [503, 503, 503])
    assert.equal(child.records().filter(({ message }) => message === 'waiting').length, 1)
    await writeFile(gate, '')
    await Promise.all(all)
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [...Array.from({ length: 11 }, () => 200), 503, 503, 503],
    )
  })

  test('a handler that says nothing until responseStartTimeoutSeconds is answered for with 504, which a source retries', async (t) => {
    const gate = join(temporaryFolder(t), 'gate')
    const child = await startFunction(t, 'stateless-echo')
    const options = { userPort: child.port, timeoutSeconds: 10, responseStartTimeoutSeconds: 1 }
    const { port } = await startQueueProxy(t, options)
    const slow = await exchange(port, event('slow', `wait-for ${gate}`))
    assert.equal(slow.status, 504)
    assert.match(slow.body, /request timeout/)
    await writeFile(gate, '')
    assert.equal((await exchange(port, event('slow', `wait-for ${gate}`))).status, 200)
  })

  test('a pod that is deleted answers what it has under way and what still comes, and then both processes end', async (t) => {
    const gate = join(temporaryFolder(t), 'gate')
    const child = await startFunction(t, 'stateless-echo')
    const proxy = await startQueueProxy(t, { userPort: child.port })
    const running = exchange(proxy.port, event('under-way', `wait-for ${gate}`), { limitMs: 200_000 })
    await child.record('waiting')

    // What the kubelet does: SIGTERM to queue-proxy, which has no preStop, and the preStop of the function, beside each other.
    const deleted = performance.now()
    proxy.kill('SIGTERM')
    const preStop = fetch('http://127.0.0.1:8022/wait-for-drain', { signal: AbortSignal.timeout(120_000) })
    await until('the probe fails', async () => (await kubeletProbe(proxy.port)).status === 503)
    assert.equal((await exchange(proxy.port, event('late', 'hello'))).status, 200)
    assert.equal((await preStop).status, 200)
    const quietMs = performance.now() - deleted
    assert.ok(quietMs >= 29_000, `SIGTERM after ${quietMs} ms`)
    child.kill('SIGTERM')

    await child.record('shutdown begins')
    await writeFile(gate, '')
    assert.equal((await running).status, 200)
    assert.deepEqual(await child.exited(), { code: 0, signal: null })
    const receipt = await child.record('shutdown complete')
    assert.deepEqual([receipt['finished'], receipt['released']], [['under-way'], []])
    assert.equal((await proxy.exited({ limitMs: 30_000 })).code, 0)
  })

  const started = 'conversation.turn.started.v1'

  test('heartbeats keep a stream alive, it ends itself with a hint before the timeout, and goes on without a gap', async (t) => {
    const sse = { heartbeatMs: 250, longestMs: 3_000, retryMs: 20 }
    const gateway = await startGateway(t, { sse, pollMs: 200 })
    const userPort = Number(new URL(gateway.url).port)
    const { port } = await startQueueProxy(t, { userPort, timeoutSeconds: 6, idleTimeoutSeconds: 1 })
    const id = await createSession(gateway.database, 'behind-queue-proxy')
    const url = `http://127.0.0.1:${port}/v1/session/${id}/events`
    await storeEvents(gateway.database, id, { types: [started, started] })

    const first = await watch(t, url)
    await until('the past is there', () => first.durable().length === 2)
    await first.ended
    // Silent for longer than the idle timeout but for heartbeats, and ended by the gateway: hint at the beginning and at the end.
    assert.ok(first.comments.length >= 4, `${first.comments.length} heartbeats`)
    assert.deepEqual(first.retries, [20, 20])

    await storeEvents(gateway.database, id, { types: [started, started, started] })
    const second = await watch(t, url, { 'last-event-id': first.durable().at(-1)?.id ?? '' })
    await storeEvents(gateway.database, id, { types: [started] })
    await until('the rest is there', () => second.durable().length === 4)
    assert.deepEqual(
      [...first.durable(), ...second.durable()].map((one) => Number(one.id)),
      [1, 2, 3, 4, 5, 6],
    )
  })

  test('without an end of its own the stream is cut at the timeout, with text that is no event and no hint', async (t) => {
    const gateway = await startGateway(t, { sse: { heartbeatMs: 250, longestMs: 60_000, retryMs: 20 }, pollMs: 200 })
    const userPort = Number(new URL(gateway.url).port)
    const { port } = await startQueueProxy(t, { userPort, timeoutSeconds: 2 })
    const id = await createSession(gateway.database, 'cut')
    const response = await fetch(`http://127.0.0.1:${port}/v1/session/${id}/events`)
    const text = await response.text()
    assert.equal(response.status, 200)
    assert.match(text, /: alive\n\nrequest timeout$/)
  })
})
