import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentTrace, inSpan, newTrace, noTracer, withTrace } from '../../../shared/telemetry/index.ts'

test('while nobody records, work runs in the trace it has, and no name or attribute is made', async () => {
  const trace = newTrace()
  const describe = () => assert.fail('nobody asked for it')
  const seen = await withTrace(trace, () => inSpan(noTracer, describe, async () => currentTrace()))
  assert.equal(seen, trace)
})

test('events have a place in the trace all the same', () => {
  const parent = { ...newTrace(), state: 'a=b', baggage: 'c=d' }
  const { trace } = noTracer.start({ name: 'create x', parent })
  assert.deepEqual({ ...trace, spanId: '' }, { ...parent, spanId: '' })
  assert.notEqual(trace.spanId, parent.spanId)
  const within = withTrace(parent, () => noTracer.start({ name: 'create x' }).trace)
  assert.equal(within.traceId, parent.traceId)
  assert.notEqual(noTracer.start({ name: 'create x' }).trace.traceId, parent.traceId)
})
