import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeHttpEvent, encodeHttpEvent, type CloudEvent } from '../../../../shared/events/index.ts'
import { anyText, eventsWith, headerText } from './arbitrary-events.ts'
import { decodeHttp } from './http-requests.ts'
import { startLoopback } from './loopback.ts'

const event: CloudEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/s',
  type: 't.v1',
  datacontenttype: 'application/json',
  data: { a: 1 },
  extensions: { tenant: 'acme', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
}

test('any event arrives over real HTTP as it was sent', { timeout: 60_000 }, async (t) => {
  const send = await startLoopback(t)
  const events = fc.oneof(
    eventsWith(anyText),
    eventsWith(headerText),
    eventsWith(fc.constantFrom('a', 'b c', '100%', '%41')),
  )
  await fc.assert(
    fc.asyncProperty(events, async (sent) => {
      const { headers, body } = encodeHttpEvent(sent)
      assert.deepEqual(decodeHttp(await send({ headers, body })).event, sent)
    }),
    { numRuns: 300 },
  )
})

test('an ordinary event goes binary, with its trace as a header of its own', () => {
  const { headers, body } = encodeHttpEvent(event)
  assert.deepEqual(headers, {
    traceparent: event.extensions['traceparent'],
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': 'e-1',
    'ce-source': '/s',
    'ce-type': 't.v1',
    'ce-tenant': 'acme',
    'ce-traceparent': event.extensions['traceparent'],
  })
  assert.equal(body.toString(), '{"a":1}')
})

test('what headers or body cannot carry goes structured', () => {
  const changes: Partial<CloudEvent>[] = [
    { id: 'é' },
    { subject: '日本' },
    { subject: '100%' },
    { subject: ' a' },
    { extensions: { x: 'a\t' } },
    { datacontenttype: 'text/plain' },
    { datacontenttype: 'application/cloudevents+json' },
    { type: 'dev.knative.kafka.event' },
    { data: Buffer.from('{}') },
  ]
  for (const change of changes) {
    const sent = { ...event, ...change }
    const message = encodeHttpEvent(sent)
    assert.match(message.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
    assert.equal(
      Object.keys(message.headers).some((name) => name.startsWith('ce-')),
      false,
    )
    // bytes under a JSON type are their value to every reader
    const read = change.data === undefined ? sent : { ...sent, data: {} }
    assert.deepEqual(decodeHttp(message).event, read)
  }
})

test('an event that came through a KafkaSource with a stray % is delivered again from its lane', () => {
  const request = {
    headers: { 'kn-namespace': 'shop', 'ce-specversion': '1.0', 'ce-id': '50%', 'ce-source': '/s', 'ce-type': 't' },
    body: Buffer.alloc(0),
  }
  const first = decodeHttpEvent(request, { bind: () => undefined })
  assert.ok(first.ok)
  assert.deepEqual(decodeHttp(encodeHttpEvent(first.event)).event, first.event)
})
