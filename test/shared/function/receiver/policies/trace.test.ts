import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentTrace, type TraceContext } from '../../../../../shared/telemetry/index.ts'
import { exchange, post } from '../../raw-http.ts'
import { message, messageHeaders, startEventServer } from '../start-event-server.ts'
import type { TestContext } from 'node:test'

const limit = { timeout: 30_000 }
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

async function start(t: TestContext) {
  const traces: (TraceContext | undefined)[] = []
  const server = await startEventServer(t, { handler: async () => void traces.push(currentTrace()) })
  const bad = async () => {
    const { values } = await server.instruments.badTraceContexts.get()
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels['part']), value]))
  }
  const send = (headers: Readonly<Record<string, string>>) =>
    exchange(server.port, post(messageHeaders(headers), message()))
  return { traces, bad, send }
}

test('a malformed trace context is ignored and counted, and the event is taken', limit, async (t) => {
  const { traces, bad, send } = await start(t)
  for (const [id, headers] of Object.entries({
    a: { 'ce-traceparent': 'garbage' },
    b: { 'ce-traceparent': traceparent.toUpperCase() },
    c: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
    d: { 'ce-traceparent': traceparent, 'ce-tracestate': '=broken' },
    e: { 'ce-traceparent': traceparent, 'ce-baggage': 'broken' },
    f: { 'ce-traceparent': traceparent },
  }))
    assert.equal((await send({ 'ce-id': id, ...headers })).status, 200)
  assert.equal(traces.length, 6)
  assert.ok(traces.every((trace) => /^[0-9a-f]{32}$/.test(trace?.traceId ?? '')))
  assert.deepEqual(await bad(), { traceparent: 3, tracestate: 1, baggage: 1 })
})

test(
  "tracestate and baggage of the event go along; baggage of the request, which may be a stranger's, does not",
  limit,
  async (t) => {
    const { traces, send } = await start(t)
    await send({
      'ce-traceparent': traceparent,
      'ce-tracestate': 'a=b',
      'ce-baggage': 'c=d',
      tracestate: 'x=y',
      baggage: 'x=y',
    })
    await send({ 'ce-id': 'id-2', traceparent, tracestate: 'x=y', baggage: 'x=y' })
    const [own, ofRequest] = traces
    assert.deepEqual([own?.state, own?.baggage], ['a=b', 'c=d'])
    assert.deepEqual([ofRequest?.traceId, ofRequest?.state, ofRequest?.baggage], [own?.traceId, 'x=y', undefined])
  },
)
