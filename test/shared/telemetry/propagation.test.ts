import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTrace, traceHeaders } from '../../../shared/telemetry/index.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('tracestate and baggage go along with their trace', () => {
  const { trace, refused } = readTrace({
    traceparent,
    tracestate: 'congo=t61rcWkgMzE,rojo=00f067',
    baggage: 'user=1,a=b;p',
  })
  assert.equal(refused, undefined)
  assert.equal(trace?.state, 'congo=t61rcWkgMzE,rojo=00f067')
  assert.equal(trace?.baggage, 'user=1,a=b;p')
  assert.ok(trace !== undefined)
  assert.deepEqual(traceHeaders(trace), { traceparent, tracestate: trace.state })
  assert.deepEqual(traceHeaders(trace, { baggage: true }), {
    traceparent,
    tracestate: trace.state,
    baggage: trace.baggage,
  })
})

test('what is malformed is ignored and named', () => {
  const refusedPart = (texts: Parameters<typeof readTrace>[0]) => readTrace(texts).refused
  assert.equal(refusedPart({ traceparent: 'garbage', tracestate: 'a=b' }), 'traceparent')
  assert.equal(refusedPart({ traceparent, tracestate: 'no equal sign' }), 'tracestate')
  assert.equal(refusedPart({ traceparent, tracestate: 'UPPER=1' }), 'tracestate')
  assert.equal(refusedPart({ traceparent, baggage: 'no equal sign' }), 'baggage')
  assert.equal(refusedPart({ tracestate: 'a=b', baggage: 'a=b' }), undefined, 'nothing goes along with no trace')
  assert.equal(readTrace({ traceparent, tracestate: '=', baggage: 'a=b' }).trace?.baggage, 'a=b')
})

test('a tracestate passes whole up to 512 characters and 32 members, and not at all beyond', () => {
  const state = (length: number): string => `a=${'x'.repeat(250)},b=${'y'.repeat(length - 255)}`
  assert.equal(readTrace({ traceparent, tracestate: state(509) }).trace?.state, state(509))
  assert.equal(readTrace({ traceparent, tracestate: state(513) }).trace?.state, undefined)
  const members = (count: number): string => Array.from({ length: count }, (_, n) => `k${n}=v`).join(',')
  assert.equal(readTrace({ traceparent, tracestate: members(32) }).trace?.state, members(32))
  assert.equal(readTrace({ traceparent, tracestate: members(33) }).refused, 'tracestate')
})

test('baggage is bounded to whole members: 1,024 characters and 32 members', () => {
  const carried = (baggage: string) => readTrace({ traceparent, baggage })
  const exactly = `a=${'x'.repeat(1_022)}`
  assert.equal(carried(exactly).trace?.baggage, exactly)
  assert.equal(carried(`${exactly}y`).trace?.baggage, undefined)
  assert.equal(carried(`k=v,${exactly}`).trace?.baggage, 'k=v')
  assert.equal(carried(`k=v,${exactly}`).refused, 'baggage')
  const members = (count: number): string => Array.from({ length: count }, (_, n) => `k${n}=v`).join(',')
  assert.equal(carried(members(32)).trace?.baggage, members(32))
  assert.equal(carried(members(40)).trace?.baggage, members(32))
  assert.equal(carried(`k=v,${'x'.repeat(100_000)}`).trace?.baggage, undefined, 'what is endless is not read')
})
