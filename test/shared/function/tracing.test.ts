// The spans of a process: what is sent before it ends, and that a collector which is away costs it nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLoopbackServer, startOtlpReceiver } from '../../support/index.ts'
import { startFunction } from './function-process.ts'
import { exchange, post } from './raw-http.ts'
import { message, messageHeaders } from './receiver/start-event-server.ts'

const limit = { timeout: 120_000 }
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const event = post(messageHeaders({ 'ce-traceparent': traceparent, 'ce-tracestate': 'vendor=abc' }), message('hello'))

test('what a process did, and how it ended, has reached the collector when it has ended', limit, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const child = await startFunction(t, 'stateless-echo', { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  assert.equal((await exchange(child.port, event)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(), { code: 0, signal: null })

  const received = receiver.spans.find(({ name }) => name.startsWith('process '))
  assert.equal(received?.traceId, traceparent.slice(3, 35))
  assert.equal(received?.parentSpanId, traceparent.slice(36, 52), "its parent is the record's own")
  assert.equal(received?.traceState, 'vendor=abc')
  assert.equal(received?.attributes['sluice.outcome'], 'done')
  const shutdown = receiver.spans.find(({ name }) => name === 'shutdown')
  assert.equal(shutdown?.parentSpanId, '')
  assert.equal(shutdown?.attributes['sluice.released'], 0)
  assert.equal(shutdown?.status.code ?? 0, 0)
  const log = await child.record('event answered')
  assert.deepEqual([log['trace_id'], log['span_id']], [received?.traceId, received?.spanId], 'log lines name the span')
})

test('a collector that never answers keeps no event and no shutdown waiting', limit, async (t) => {
  const hanging = await startLoopbackServer(t, () => undefined)
  for (const endpoint of [hanging.url, 'http://127.0.0.1:1']) {
    const child = await startFunction(t, 'stateless-echo', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    for (let n = 0; n < 20; n += 1) {
      const answer = await exchange(child.port, post(messageHeaders({ 'ce-id': `id-${n}` }), message()))
      assert.equal(answer.status, 200)
    }
    child.kill('SIGTERM')
    assert.deepEqual(await child.exited({ limitMs: 15_000 }), { code: 0, signal: null })
    const receipt = await child.record('shutdown complete')
    assert.deepEqual(receipt['failed_steps'], [])
    assert.ok(Number(receipt['seconds']) < 10, `the drain took ${String(receipt['seconds'])} s`)
    assert.equal(
      child.lines.some((line) => line.includes('open handles')),
      false,
      'nothing kept the process alive',
    )
  }
})
