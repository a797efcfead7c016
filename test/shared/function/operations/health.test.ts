import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createHealth, healthDefaults, type Probe } from '../../../../shared/function/operations/health.ts'
import { createManualClock } from '../../../support/index.ts'

const never = new AbortController().signal

function build(probes: readonly Probe[]) {
  const clock = createManualClock(5_000_000)
  const successes: number[] = []
  const health = createHealth(healthDefaults, {
    clock,
    lastSuccess: { set: (value) => successes.push(value) },
    probes,
    components: [{ name: 'outbox', health: () => ({ status: 'down', at: 4_999_000, error: 'event_log_unavailable' }) }],
  })
  const status = (path: string) => health.answer(path)?.status
  return { clock, health, successes, status }
}

/** A probe whose outcome the test sets. */
function probeOfTest(name = 'postgres') {
  const state: { outcome: 'up' | 'down' | 'hangs'; signals: AbortSignal[] } = { outcome: 'up', signals: [] }
  const probe: Probe = {
    name,
    check: async (signal) => {
      state.signals.push(signal)
      if (state.outcome === 'down') throw new SluiceError('database_unavailable', 'postgres://secret@10.0.0.1')
      if (state.outcome === 'hangs') await new Promise(() => undefined)
    },
  }
  return { probe, state }
}

test('live is true from the first moment, whatever the probes say; ready is not', () => {
  const { probe, state } = probeOfTest()
  state.outcome = 'down'
  const { status } = build([probe])
  assert.deepEqual(['/live', '/ready', '/health'].map(status), [200, 503, 503])
})

test('ready only while serving: not while starting, not while draining', async () => {
  const { health, status } = build([])
  await health.start(never)
  assert.equal(status('/ready'), 503)
  health.setPhase('serving')
  assert.equal(status('/ready'), 200)
  health.setPhase('draining')
  assert.equal(status('/ready'), 503)
  assert.equal(status('/live'), 200)
  assert.match(health.answer('/ready')?.body ?? '', /"phase":"draining"/)
})

test('one failed round does not unready, two do; one good round does not ready, two do', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health, status } = build([probe])
  await health.start(never)
  health.setPhase('serving')
  const seen: unknown[] = []
  for (const outcome of ['down', 'up', 'down', 'down', 'up', 'up'] as const) {
    state.outcome = outcome
    await clock.advance(healthDefaults.everyMs)
    seen.push(status('/ready'))
  }
  assert.deepEqual(seen, [200, 200, 200, 503, 503, 200])
  await health.stop()
})

test('a probe that fails in the first round makes the process not ready at once', async () => {
  const { probe, state } = probeOfTest()
  state.outcome = 'down'
  const { health, status } = build([probe])
  await health.start(never)
  health.setPhase('serving')
  assert.equal(status('/ready'), 503)
  assert.equal(health.answer('/ready')?.body, '{"status":"not-ready","phase":"serving","down":["postgres"]}')
})

test('a probe that hangs is given up after its limit, and no answer waits for it', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health, status } = build([probe])
  await health.start(never)
  health.setPhase('serving')
  state.outcome = 'hangs'
  await clock.advance(healthDefaults.everyMs)
  assert.equal(status('/ready'), 200)
  await clock.advance(healthDefaults.probeTimeoutMs + healthDefaults.everyMs + healthDefaults.probeTimeoutMs)
  assert.equal(status('/ready'), 503)
  assert.ok(state.signals[1]?.aborted)
})

test('a round begins only after the one before it ended', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health } = build([probe])
  await health.start(never)
  state.outcome = 'hangs'
  await clock.advance(healthDefaults.everyMs + healthDefaults.probeTimeoutMs - 1)
  assert.equal(state.signals.length, 2)
})

test('the gauge of the last success moves only when every probe is up', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health, successes } = build([probe, probeOfTest('kafka').probe])
  await health.start(never)
  state.outcome = 'down'
  await clock.advance(healthDefaults.everyMs)
  state.outcome = 'up'
  await clock.advance(healthDefaults.everyMs)
  assert.deepEqual(successes, [5_000, 5_002])
})

test('/health tells every component with its age and last error, and no address', async () => {
  const { probe, state } = probeOfTest()
  state.outcome = 'down'
  const { clock, health } = build([probe])
  await health.start(never)
  await clock.advance(500)
  const body = health.answer('/health')?.body ?? ''
  assert.deepEqual(JSON.parse(body), {
    status: 'not-ready',
    phase: 'starting',
    components: {
      'probe:postgres': { status: 'down', error: 'database_unavailable', age_seconds: 0.5 },
      outbox: { status: 'down', error: 'event_log_unavailable', age_seconds: 1.5 },
    },
  })
})

test('other paths are not health’s', () => {
  const { health } = build([])
  for (const path of ['/', '/healthz', '/ready/', '/metrics']) assert.equal(health.answer(path), undefined)
})

test('after stop no probe runs any more', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health } = build([probe])
  await health.start(never)
  await health.stop()
  await clock.advance(60_000)
  assert.equal(state.signals.length, 1)
})
