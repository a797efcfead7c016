import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInstruments } from '../../../shared/telemetry/index.ts'

const required = [
  'service_startup_seconds',
  'service_shutdown_seconds',
  'readiness_last_success_timestamp',
  'worker_last_heartbeat_timestamp',
  'memory_wal_lag_seconds',
  'config_update_apply_total',
  'policy_decision_latency_seconds',
]

test('the metrics that the plan names exist, and every sample carries the function', async () => {
  const instruments = createInstruments({ function: 'gateway' })
  instruments.workerHeartbeat.set(1)
  instruments.startupSeconds.observe(0.2)
  instruments.eventsReceived.labels({ outcome: 'done' }).inc()
  const text = await instruments.registry.metrics()
  for (const name of required) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'))
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.ok(samples.length > 10)
  assert.deepEqual(
    samples.filter((line) => !line.includes('function="gateway"')),
    [],
  )
})

test('our own metrics are prefixed, have help, and name their unit', async () => {
  const text = await createInstruments({ function: 'gateway' }).registry.metrics()
  const declared = [...text.matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\S+)$/gm)]
  assert.ok(declared.length > 30)
  for (const [, name = '', help = '', type] of declared) {
    if (!required.includes(name)) assert.match(name, /^sluice_/)
    assert.ok(help.length > 10, name)
    if (type === 'counter') assert.match(name, /_total$/)
    if (type === 'histogram') assert.match(name, /_(seconds|bytes)$/)
  }
})

test('two instances share nothing', async () => {
  const [a, b] = [createInstruments({ function: 'a' }), createInstruments({ function: 'b' })]
  a.eventsReceived.labels({ outcome: 'done' }).inc()
  assert.equal((await b.registry.metrics()).includes('sluice_events_received_total{'), false)
})
