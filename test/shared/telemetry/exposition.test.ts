import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstruments, withTrace } from '../../../shared/telemetry/index.ts'

const openMetrics =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', sampled: true }

test('who accepts OpenMetrics gets it, with the trace of the work beside its bucket', async () => {
  const { registry, runSeconds, receiveSeconds } = createInstruments({ function: 'gateway' })
  withTrace(trace, () => runSeconds.observe({ outcome: 'done' }, 0.2))
  receiveSeconds.observe(0.003, trace)
  const { contentType, body } = await registry.scrape(openMetrics)
  assert.match(contentType, /^application\/openmetrics-text; version=1\.0\.0/)
  const exemplar = String.raw`# \{trace_id="${trace.traceId}",span_id="${trace.spanId}"\}`
  assert.match(body, new RegExp(String.raw`^sluice_run_seconds_bucket\{.*le="0\.25".*\} 1 ${exemplar} 0\.2 `, 'm'))
  assert.match(
    body,
    new RegExp(String.raw`^sluice_receive_seconds_bucket\{.*le="0\.005".*\} 1 ${exemplar} 0\.003 `, 'm'),
  )
  assert.ok(body.endsWith('# EOF\n'))
})

test('everyone else gets the older format, which has no exemplars', async () => {
  const { registry, runSeconds } = createInstruments({ function: 'gateway' })
  withTrace(trace, () => runSeconds.observe({ outcome: 'done' }, 0.2))
  for (const accept of [undefined, '*/*', 'text/plain;version=0.0.4']) {
    const { contentType, body } = await registry.scrape(accept)
    assert.match(contentType, /^text\/plain; version=0\.0\.4/)
    assert.doesNotMatch(body, /trace_id|# EOF/)
    assert.match(body, /^sluice_run_seconds_count\{outcome="done",function="gateway"\} 1$/m)
  }
})

test('a counter has one name in both formats, however often and in whatever order it is read', async () => {
  const { registry, turns } = createInstruments({ function: 'gateway' })
  turns.inc({ outcome: 'completed' })
  const sample = /^sluice_turns_total\{outcome="completed",function="gateway"\} 1$/m
  for (const accept of [openMetrics, undefined, openMetrics, undefined]) {
    const { body } = await registry.scrape(accept)
    assert.match(body, sample)
    assert.match(body, accept === undefined ? /^# TYPE sluice_turns_total counter$/m : /^# TYPE sluice_turns counter$/m)
  }
})

test('work outside a trace, or in one that is not sampled, leaves no exemplar', async () => {
  const { registry, runSeconds, receiveSeconds } = createInstruments({ function: 'gateway' })
  runSeconds.observe({ outcome: 'done' }, 0.2)
  receiveSeconds.observe(0.003, { ...trace, sampled: false })
  assert.doesNotMatch((await registry.scrape(openMetrics)).body, /trace_id/)
})
