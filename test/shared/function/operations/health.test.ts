import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createHealth, healthDefaults } from '../../../../shared/function/operations/health.ts'
import type { Probe } from '../../../../shared/function/operations/probing.ts'
import { createManualClock } from '../../../support/index.ts'

const never = new AbortController().signal

function build(probes: readonly Probe[], { blocked = false, error = 'event_log_unavailable' } = {}) {
  const clock = createManualClock(5_000_000)
  const successes: number[] = []
  const health = createHealth(healthDefaults, {
    clock,
    lastSuccess: { set: (value) => successes.push(value) },
    probes,
    components: [{ name: 'outbox', health: () => ({ status: 'down', at: 4_999_000, error }) }],
    blocked: () => blocked,
  })
  const status = (path: string) => health.answer(path)?.status
  const body = (path: string) => JSON.parse(health.answer(path)?.body ?? '') as Record<string, unknown>
  return { clock, health, successes, status, body }
}

/** A probe whose outcome the test sets. */
function probeOfTest({ name = 'postgres', needed = true } = {}) {
  const state: { failure: Error | undefined; asked: number } = { failure: undefined, asked: 0 }
  const check = async (): Promise<void> => {
    state.asked += 1
    if (state.failure !== undefined) throw state.failure
  }
  return { probe: { name, needed, check }, state }
}

const gone = new SluiceError('database_unavailable', 'gone')

test('live is true from the first moment, whatever the probes say; ready is not', () => {
  const { probe, state } = probeOfTest()
  state.failure = gone
  const { status } = build([probe])
  assert.deepEqual(['/live', '/ready', '/health'].map(status), [200, 503, 503])
})

test('live fails when the event loop was blocked, and ready is another question', async () => {
  const { health, status, body } = build([], { blocked: true })
  await health.start(never)
  health.setPhase('serving')
  assert.deepEqual(['/live', '/ready'].map(status), [503, 200])
  assert.deepEqual(body('/live'), { status: 'blocked' })
})

test('ready only while serving: not while starting, not while draining', async () => {
  const { health, status, body } = build([])
  await health.start(never)
  assert.equal(status('/ready'), 503)
  health.setPhase('serving')
  assert.equal(status('/ready'), 200)
  health.setPhase('draining')
  assert.equal(status('/ready'), 503)
  assert.equal(status('/live'), 200)
  assert.equal(body('/ready')['phase'], 'draining')
})

test('a dependency that only informs never makes the process unready', async () => {
  const { probe, state } = probeOfTest({ name: 'model', needed: false })
  state.failure = gone
  const { clock, health, status, body } = build([probe])
  await health.start(never)
  await clock.advance(0)
  health.setPhase('serving')
  assert.equal(status('/ready'), 200)
  assert.deepEqual(body('/ready')['dependencies'], {
    model: {
      needed: false,
      status: 'down',
      age_seconds: 0,
      last_error: 'database_unavailable',
      last_error_age_seconds: 0,
    },
  })
})

test('the gauge of the last success moves only when everything that is needed is up', async () => {
  const { probe, state } = probeOfTest()
  const informing = probeOfTest({ name: 'model', needed: false })
  informing.state.failure = gone
  const { clock, health, successes } = build([probe, informing.probe])
  await health.start(never)
  state.failure = gone
  await clock.advance(healthDefaults.everyMs)
  state.failure = undefined
  await clock.advance(healthDefaults.everyMs)
  assert.deepEqual(successes, [5_000, 5_002])
})

test('the body tells every dependency and component with state, age and last error', async () => {
  const { probe, state } = probeOfTest()
  const { clock, health, body } = build([probe])
  await health.start(never)
  health.setPhase('serving')
  state.failure = gone
  await clock.advance(healthDefaults.everyMs)
  state.failure = undefined
  await clock.advance(healthDefaults.everyMs + 500)
  const dependencies = {
    postgres: {
      needed: true,
      status: 'up',
      age_seconds: 0.5,
      last_error: 'database_unavailable',
      last_error_age_seconds: 1.5,
    },
  }
  assert.deepEqual(body('/ready'), { status: 'ready', phase: 'serving', dependencies })
  assert.deepEqual(body('/health'), {
    status: 'ready',
    phase: 'serving',
    dependencies,
    components: { outbox: { status: 'down', age_seconds: 3.5, last_error: 'event_log_unavailable' } },
  })
})

const planted = ['hunter2-canary', 'db-7.internal.example', '10.20.30.40', 'postgres://ann:hunter2@db-7/x']

for (const text of planted)
  test(`no answer shows ${text} of an error`, async () => {
    const { probe, state } = probeOfTest()
    const systemError = Object.assign(new Error(`connect ECONNREFUSED ${text}`), { code: text })
    for (const failure of [new SluiceError('database_unavailable', text), new Error(text), systemError]) {
      state.failure = failure
      const { health } = build([probe], { error: `cannot reach ${text}` })
      await health.start(never)
      for (const path of ['/live', '/ready', '/health'])
        for (const part of ['hunter2', 'db-7', 'internal.example', '10.20', text])
          assert.ok(!health.answer(path)?.body.includes(part), `${path}: ${health.answer(path)?.body}`)
    }
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
  assert.equal(state.asked, 1)
})
