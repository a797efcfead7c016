import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEmissions } from '../../../../shared/delivery/outbox/emission.ts'
import {
  encodeRecord,
  recordBytes,
  toolCallFinished,
  topics,
  type EventType,
  type Topic,
} from '../../../../shared/events/index.ts'
import { newTrace, withTrace } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { eventOf, finished } from '../workbench.ts'

const production = { topic: topics.toolResults, type: toolCallFinished }
const emissions = (topic: Topic = topics.toolResults) =>
  createEmissions({ function: 'f', produces: [{ topic, type: toolCallFinished }], tenant: 'acme' }, { clock })
const withText = (length: number) => ({ ...finished('c'), result: { text: 'x'.repeat(length) } })

test('a record as large as its topic takes passes, one byte more is refused', () => {
  const probe = emissions()
  probe.emit(toolCallFinished, withText(10), { key: 'k' })
  const bytes = recordBytes(encodeRecord(eventOf(probe.emitted[0]?.json ?? ''), { key: 'k' }))
  for (const [maxEventBytes, passes] of [
    [bytes + 1, true],
    [bytes, true],
    [bytes - 1, false],
  ] as const) {
    const { emit } = emissions({ ...topics.toolResults, maxEventBytes })
    const emitting = () => emit(toolCallFinished, withText(10), { key: 'k' })
    if (passes) emitting()
    else assert.throws(emitting, { code: 'event_too_large' })
  }
})

test('data that has no form in JSON is refused, though the schema lets it pass', () => {
  const type = { ...toolCallFinished, validate: () => true } as unknown as EventType
  const produces = [{ topic: topics.toolResults, type }]
  const { emit, emitted } = createEmissions({ function: 'f', produces, tenant: 'acme' }, { clock })
  for (const data of [undefined, () => 1, Symbol('s'), { toJSON: () => undefined }])
    assert.throws(() => emit(type, data, { key: 'k' }), { code: 'data_invalid' })
  emit(type, null, { key: 'k' })
  assert.equal(emitted.length, 1)
})

test('a key of 512 bytes passes; 513, none, and what no header can carry are refused', () => {
  const { emit } = emissions()
  for (const key of ['k', 'k'.repeat(511), 'k'.repeat(512), 'ü'.repeat(256)])
    emit(toolCallFinished, finished('c'), { key })
  for (const key of ['', 'k'.repeat(513), 'ü'.repeat(257)])
    assert.throws(() => emit(toolCallFinished, finished('c'), { key }), { code: 'invalid_parameter' })
  assert.throws(() => emit(toolCallFinished, finished('c'), { key: 'a\nb' }), { code: 'ce_invalid' })
  assert.throws(() => emit(toolCallFinished, finished('c'), { key: 'a\0b' }), { code: 'invalid_character' })
})

test('NUL and lone surrogates in data are refused; text that only looks like them passes', () => {
  const { emit } = emissions()
  const emitText = (text: string) => emit(toolCallFinished, { ...finished('c'), result: { text } }, { key: 'k' })
  for (const text of ['a\0b', 'a\ud800b', '\udc00']) assert.throws(() => emitText(text), { code: 'invalid_character' })
  for (const text of ['\\u0000', '\\ud800', '😀', '\u0001']) emitText(text)
})

test('a type on several topics needs one named, and one that is produced', () => {
  const other: Topic = { ...topics.toolResults, name: 'other' }
  const { emit } = createEmissions(
    { function: 'f', produces: [production, { ...production, topic: other }], tenant: '' },
    { clock },
  )
  assert.throws(() => emit(toolCallFinished, finished('c'), { key: 'k' }), { code: 'unknown_topic' })
  emit(toolCallFinished, finished('c'), { key: 'k', topic: other })
  assert.throws(() => emit(toolCallFinished, finished('c'), { key: 'k', topic: topics.toolRequests }), {
    code: 'unknown_topic',
  })
})

test('an event without a tenant has no empty extension', () => {
  const open = createEmissions({ function: 'f', produces: [production], tenant: '' }, { clock })
  open.emit(toolCallFinished, finished('c'), { key: 'k' })
  assert.equal('tenant' in eventOf(open.emitted[0]?.json ?? '').extensions, false)
})

test('an emitted event carries the state and the baggage of the trace that it comes of', () => {
  const { emit, emitted } = emissions()
  const trace = { ...newTrace(), state: 'a=b', baggage: 'c=d' }
  withTrace(trace, () => emit(toolCallFinished, finished('c'), { key: 'k' }))
  const event = eventOf(emitted[0]?.json ?? '')
  const { traceparent, tracestate, baggage } = event.extensions
  assert.deepEqual([traceparent?.slice(3, 35), tracestate, baggage], [trace.traceId, 'a=b', 'c=d'])
  const headers = new Map(encodeRecord(event, { key: 'k' }).headers.map(([name, value]) => [name, value.toString()]))
  assert.equal(headers.get('tracestate'), 'a=b')
  assert.equal(headers.get('span_id'), traceparent?.slice(36, 52))
  assert.equal(headers.has('baggage'), false, 'a KafkaSource would send it with another record')
})
