import assert from 'node:assert/strict'
import { setImmediate as macrotask } from 'node:timers/promises'
import { test } from 'node:test'
import {
  childTrace,
  currentTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  withTrace,
} from '../../../shared/telemetry/index.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test('a traceparent is read and written back unchanged', () => {
  for (const text of [`00-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-00`]) {
    const trace = parseTraceparent(text)
    assert.ok(trace !== undefined)
    assert.equal(formatTraceparent(trace), text)
  }
})

test('a later version is read by the rules of this one, further fields ignored', () => {
  assert.equal(parseTraceparent(`01-${traceId}-${spanId}-01-what-ever`)?.traceId, traceId)
})

const malformed = [
  undefined,
  '',
  'garbage',
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId.slice(1)}-${spanId}-01`,
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-01`.padEnd(10_000, 'x'),
]

test('anything malformed is no trace', () => {
  for (const text of malformed) assert.equal(parseTraceparent(text), undefined, String(text).slice(0, 80))
})

test('a child keeps the trace and gets a span of its own; new traces differ', () => {
  const parent = newTrace()
  const child = childTrace(parent)
  assert.equal(child.traceId, parent.traceId)
  assert.notEqual(child.spanId, parent.spanId)
  assert.notEqual(newTrace().traceId, newTrace().traceId)
  assert.deepEqual(parseTraceparent(formatTraceparent(child)), child)
})

test('ids stay distinct over many traces', () => {
  const traces = Array.from({ length: 5_000 }, newTrace)
  assert.equal(new Set(traces.map((trace) => trace.traceId)).size, 5_000)
  assert.equal(new Set(traces.map((trace) => trace.spanId)).size, 5_000)
})

const seen = async (): Promise<string | undefined> => {
  await macrotask()
  return currentTrace()?.traceId
}

test('work finds its own trace through awaits, side by side with other work', async () => {
  const [a, b] = [newTrace(), newTrace()]
  assert.deepEqual(await Promise.all([withTrace(a, seen), withTrace(b, seen), seen()]), [
    a.traceId,
    b.traceId,
    undefined,
  ])
})
