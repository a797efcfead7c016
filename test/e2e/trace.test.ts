// The trace of a turn, as an OTLP receiver gets it from real processes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOtlpReceiver, until, type ReceivedSpan } from '../support/index.ts'
import { startPlatform } from './support/index.ts'

const limit = { timeout: 240_000 }

/** Two tools in one round, so that the turn joins two results. */
const script = `
rules:
  - when: { message: both, round: 0 }
    then:
      tool_calls:
        - { name: calculate, arguments: { expression: 6*7 } }
        - { name: calculate, arguments: { expression: 17*23 } }
  - when: { message: both, round: 1 }
    then: { text: 42 and 391 }
`

test('a turn across four functions is one connected tree, from the request to the last event', limit, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const platform = await startPlatform(t, { script, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
  const turn = await platform.send('both')
  await turn.completed(90_000)

  const ofTurn = () => receiver.spans.filter(({ traceId }) => traceId === turn.traceId)
  const names = () => new Set(ofTurn().map(({ service, name }) => `${service}: ${name}`))
  const expected = [
    'gateway: POST /v1/session/message',
    'gateway: transaction',
    'gateway: create conversation.inbound',
    'gateway: send conversation.inbound',
    'conversation-worker: process conversation.inbound',
    'outbox-sync: POST function',
    'conversation-worker: transaction apply',
    'conversation-worker: invoke_agent conversation-worker',
    'conversation-worker: step model-1',
    'conversation-worker: chat rehearsal',
    'conversation-worker: POST model',
    'conversation-worker: create tool.requests',
    'tool-executor: process tool.requests',
    'tool-executor: step run',
    'tool-executor: execute_tool calculate',
    'tool-executor: transaction commit',
    'tool-executor: send tool.results',
    'conversation-worker: process tool.results',
    'conversation-worker: step model-2',
    'conversation-worker: create conversation.outbound',
  ]
  const missing = (): readonly string[] => expected.filter((name) => !names().has(name))
  await until('all spans are there', () => missing().length === 0, { limitMs: 30_000 }).catch(() =>
    assert.fail(`missing: ${missing().join(', ')}\nthere are:\n${[...names()].toSorted().join('\n')}`),
  )
  await until('no span waits for its parent', () => orphans(ofTurn()).length === 0, { limitMs: 10_000 }).catch(() =>
    assert.deepEqual(orphans(ofTurn()), [], 'every span has its parent in the same trace'),
  )
  const roots = ofTurn().filter(({ parentSpanId }) => parentSpanId === '')
  assert.deepEqual(
    roots.map(({ service, name, kind }) => [service, name, kind]),
    [['gateway', 'POST /v1/session/message', 2]],
  )

  const spanIds = new Map(ofTurn().map((span) => [span.spanId, span]))
  const resumed = ofTurn().find(({ name, links }) => name.startsWith('invoke_agent') && links.length > 0)
  assert.deepEqual(
    resumed?.links.map(({ spanId }) => spanIds.get(spanId)?.name),
    ['transaction apply', 'transaction apply'],
    'the turn goes on where both results were taken in',
  )

  const chat = ofTurn().find(({ name }) => name === 'chat rehearsal')
  assert.equal(chat?.attributes['gen_ai.operation.name'], 'chat')
  assert.ok(Number(chat?.attributes['gen_ai.usage.output_tokens']) >= 0)
  const received = ofTurn().find(({ name }) => name === 'process tool.requests')
  assert.equal(received?.kind, 5)
  assert.equal(received?.attributes['messaging.destination.name'], 'tool.requests')
  assert.equal(received?.attributes['cloudevents.event_type'], 'tool.call.requested.v1')
  assert.equal(receiver.text().includes('17*23'), false, 'arguments of tools are no telemetry')

  const partitions = await platform.eventLog.partitions('tool.requests')
  const records = await Promise.all(
    Array.from({ length: partitions }, (_, partition) =>
      platform.eventLog.read({ topic: 'tool.requests', partition, offset: 0, maxRecords: 100, maxWaitMs: 0 }),
    ),
  )
  const [record] = records.flat()
  const header = (name: string): string | undefined =>
    record?.headers.find(([one]) => one === name)?.[1]?.toString('utf8')
  const traceparent = header('traceparent')?.split('-') ?? []
  assert.deepEqual(traceparent.slice(1, 3), [header('trace_id'), header('span_id')])
  assert.equal(header('trace_id'), turn.traceId)
  assert.equal(
    spanIds.get(header('span_id') ?? '')?.name,
    'create tool.requests',
    'the record names the span of its making',
  )
})

function orphans(spans: readonly ReceivedSpan[]): readonly string[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  return spans
    .filter(({ parentSpanId }) => parentSpanId !== '' && !known.has(parentSpanId))
    .map(({ service, name }) => `${service}: ${name}`)
}
