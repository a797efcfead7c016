// OpenTelemetry's own span and serialiser are the oracle: the same span recorded both ways is the same JSON, apart from what is
// zero or empty, which ours leaves out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT_CONTEXT, SpanStatusCode, createTraceState, trace as api, type SpanContext } from '@opentelemetry/api'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { createRedact, newTrace, type SpanAttributes, type TraceContext } from '../../../shared/telemetry/index.ts'
import { createSpanToJson, requestFrame } from '../../../shared/telemetry/span-json.ts'
import { createSpanRecorder } from '../../../shared/telemetry/span-recorder.ts'

const resource = { 'service.name': 'f', 'service.namespace': 'sluice' }
const limits = { attributes: 8, links: 4, valueChars: 100 }
const startedAt = 1_764_123_456_789

interface Work {
  readonly name: string
  readonly parent: TraceContext | undefined
  readonly attributes: SpanAttributes
  readonly more: SpanAttributes
  readonly links: readonly TraceContext[]
  readonly failure: string | undefined
  /** Nanoseconds. */
  readonly took: number
}

function ours(
  { name, parent, attributes, more, links, failure, took }: Work,
  redact = (text: string) => text,
): unknown {
  const spans: string[] = []
  let monotonic = 0
  const tracer = createSpanRecorder({
    clock: { now: () => startedAt, monotonic: () => monotonic },
    samples: () => true,
    toJson: createSpanToJson(limits, redact),
    keep: (json) => void spans.push(json),
  })
  const span = tracer.start({ name, kind: 'consumer', parent, attributes, links })
  span.set(more)
  if (failure !== undefined) span.fail('dependency_failed', failure)
  monotonic = took / 1e6
  span.end()
  span.end(new Error('ended twice'))
  const [head, tail] = requestFrame(resource)
  return JSON.parse(head + spans.join(',') + tail)
}

async function theirs({ name, parent, attributes, more, links, failure, took }: Work): Promise<unknown> {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    spanLimits: {
      attributeCountLimit: limits.attributes,
      attributeValueLengthLimit: limits.valueChars,
      linkCountLimit: limits.links,
    },
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  const above =
    parent === undefined ? ROOT_CONTEXT : api.setSpanContext(ROOT_CONTEXT, { ...contextOf(parent), isRemote: true })
  const settings = {
    kind: 4,
    attributes: { ...attributes },
    links: links.map((link) => ({ context: contextOf(link) })),
  }
  const seconds = Math.floor(startedAt / 1_000)
  const nanos = (startedAt - seconds * 1_000) * 1e6
  const span = provider.getTracer('sluice').startSpan(name, { ...settings, startTime: [seconds, nanos] }, above)
  span.setAttributes({ ...more })
  if (failure !== undefined) {
    span.setAttribute('error.type', 'dependency_failed')
    span.setStatus({ code: SpanStatusCode.ERROR, message: failure.slice(0, limits.valueChars) })
  }
  const end = nanos + took
  span.end([seconds + Math.floor(end / 1e9), end % 1e9])
  await provider.forceFlush()
  const json = Buffer.from(JsonTraceSerializer.serializeRequest(exporter.getFinishedSpans()) ?? []).toString()
  return JSON.parse(json)
}

function contextOf({ traceId, spanId, sampled, state }: TraceContext): SpanContext {
  const context = { traceId, spanId, traceFlags: sampled ? 1 : 0 }
  return state === undefined ? context : { ...context, traceState: createTraceState(state) }
}

/** Without ids that were drawn, and without what is zero or empty. */
function comparable(value: unknown, isRoot: boolean): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) => {
      if (key === 'spanId' || (isRoot && key === 'traceId')) return `${String(member).length} digits`
      if (/^dropped\w+Count$/.test(key) && member === 0) return undefined
      if (['links', 'events', 'attributes'].includes(key) && Array.isArray(member) && member.length === 0)
        return undefined
      if (key === 'status' && JSON.stringify(member) === '{"code":0}') return undefined
      return member
    }),
  )
}

const text = fc.string({ unit: 'binary', maxLength: 150 })
const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((name) => name !== '__proto__')
const value = fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.constant(0.25), fc.array(text, { maxLength: 3 }))
const attributes = fc.dictionary(key, value, { maxKeys: 12, noNullPrototype: true })
const place = fc.constantFrom(
  { ...newTrace(), state: 'vendor=abc,other=1' },
  { ...newTrace() },
  { ...newTrace(), baggage: 'stays=here' },
)
const work: fc.Arbitrary<Work> = fc.record({
  name: text,
  parent: fc.option(place, { nil: undefined }),
  attributes,
  more: attributes,
  links: fc.array(place, { maxLength: 6 }),
  failure: fc.option(text, { nil: undefined }),
  took: fc.integer({ min: 0, max: 5_000 }).map((microseconds) => microseconds * 1_000),
})

test("a span is what OpenTelemetry's serialiser makes of it, whatever it holds", async () => {
  const property = fc.asyncProperty(work, async (of) => {
    const isRoot = of.parent === undefined
    assert.deepEqual(comparable(ours(of), isRoot), comparable(await theirs(of), isRoot))
  })
  await fc.assert(property, { numRuns: 500 })
})

interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly unknown[] }[] }[]
}

const plain: Work = { name: 'x', parent: undefined, attributes: {}, more: {}, links: [], failure: undefined, took: 1 }
const spanOf = (sent: unknown): unknown => (sent as Sent).resourceSpans[0]?.scopeSpans[0]?.spans[0]

test('numbers that JSON or int64 do not have are told as doubles', () => {
  const { attributes: told } = spanOf(
    ours({ ...plain, attributes: { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: 1e21 } }),
  ) as { attributes: unknown }
  assert.deepEqual(told, [
    { key: 'a', value: { doubleValue: 'NaN' } },
    { key: 'b', value: { doubleValue: '-Infinity' } },
    { key: 'c', value: { doubleValue: 1e21 } },
  ])
})

test('a secret is in no text of a span: name, value, list, failure', () => {
  const secret = 'a secret of mine'
  const whole = JSON.stringify(
    ours(
      { ...plain, name: secret, attributes: { a: secret, b: [secret] }, more: { c: secret }, failure: secret },
      createRedact([secret]),
    ),
  )
  assert.equal(whole.includes(secret), false, whole)
  assert.equal(whole.split('[redacted]').length - 1, 5, whole)
})

test('texts that were quoted before are quoted the same again, however many there are', () => {
  const toJson = createSpanToJson(limits, (found) => found.replaceAll('hunter22', '[redacted]'))
  const facts = { trace: newTrace(), parent: undefined, isParentRemote: false, kind: 'internal', links: [] } as const
  const json = (name: string): string =>
    toJson({ ...facts, name, attributes: { text: name }, failure: undefined, startedAt, durationMs: 0 })
  const texts = Array.from({ length: 3_000 }, (_, n) => `hunter22 "${n % 1_500}"`)
  for (const name of texts) {
    const told = JSON.parse(json(name)) as { name: string }
    assert.equal(told.name, name.replace('hunter22', '[redacted]'))
  }
})

test('a known secret of hexadecimal digits is no id', () => {
  const secret = '0f'.repeat(32)
  const whole = JSON.stringify(ours({ ...plain, attributes: { id: secret } }, createRedact([secret])))
  assert.ok(whole.includes('[redacted]') && !whole.includes(secret), whole)
})
