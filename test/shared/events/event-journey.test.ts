// What an event must never lose on its way, whatever carries it: its trace, its attributes, its topic and its key.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  conversationMessageReceived,
  decodeRecord,
  encodeRecord,
  eventTypes,
  fromJsonFormat,
  toJsonFormat,
  topicOfType,
  type CloudEvent,
} from '../../../shared/events/index.ts'

const trace = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
const event: CloudEvent = {
  specversion: '1.0',
  id: '0199aa10-0000-7000-8000-000000000001',
  source: '/sluice/gateway',
  type: conversationMessageReceived.type,
  datacontenttype: 'application/json',
  data: { session_id: 's-1', turn_id: 't-1', message: 'hi' },
  extensions: { tenant: 'acme', partitionkey: 's-1', sequence: '7', traceparent: trace },
}

test('W-1: an event with a trace fits its closed schema, because the trace travels beside the data', () => {
  const decoded = decodeRecord({
    ...encodeRecord(event, { key: 's-1' }),
    topic: 'conversation.inbound',
    partition: 0,
    offset: 0,
  })
  assert.ok(decoded.ok)
  assert.equal(decoded.trace?.traceId, '1'.repeat(32))
  assert.ok(conversationMessageReceived.validate(decoded.event.data))
})

test('W-8: what an event carries beside its data, and its key, survive being stored and published', () => {
  const stored = fromJsonFormat(JSON.parse(JSON.stringify(toJsonFormat(event))))
  assert.ok(stored.ok)
  assert.deepEqual(stored.event, event)
  const published = decodeRecord(encodeRecord(stored.event, { key: 's-1' }))
  assert.deepEqual(published.ok && [published.event, published.key], [event, 's-1'])
})

test('W-9, W-50: every event type has a declared topic, and every record a key', () => {
  for (const { type } of eventTypes) assert.ok(topicOfType(type) !== undefined, type)
  assert.equal(encodeRecord(event, { key: 's-1' }).key.toString(), 's-1')
})
