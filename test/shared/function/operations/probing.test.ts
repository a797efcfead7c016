import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createProbing, type Probe } from '../../../../shared/function/operations/probing.ts'
import { createManualClock } from '../../../support/index.ts'

const options = { everyMs: 1_000, informEveryMs: 15_000, timeoutMs: 2_000, rounds: 2 }
type Outcome = 'up' | 'down' | 'hangs'

function build({ needed = true }: { readonly needed?: boolean } = {}) {
  const clock = createManualClock(5_000_000)
  const state: { outcome: Outcome; signals: AbortSignal[]; rounds: number; letGo: () => void } = {
    outcome: 'up',
    signals: [],
    rounds: 0,
    letGo: () => undefined,
  }
  const probe: Probe = {
    name: 'postgres',
    needed,
    check: async (signal) => {
      state.signals.push(signal)
      if (state.outcome === 'down') throw new SluiceError('database_unavailable', 'gone')
      if (state.outcome === 'hangs') await new Promise<void>((resolve) => (state.letGo = resolve))
    },
  }
  const probing = createProbing(options, { clock, probes: [probe], onAllUp: () => (state.rounds += 1) })
  return { clock, probing, state, verdict: () => probing.verdictOf(probe) }
}

test('one failed answer does not change the verdict, two in a row do; and the same on the way back', async () => {
  const { clock, probing, state, verdict } = build()
  await probing.start()
  const seen: string[] = []
  for (const outcome of ['down', 'up', 'down', 'down', 'up', 'up'] as const) {
    state.outcome = outcome
    await clock.advance(options.everyMs)
    seen.push(verdict().status)
  }
  assert.deepEqual(seen, ['up', 'up', 'up', 'down', 'down', 'up'])
  probing.stop()
})

test('the first answer is the verdict at once', async () => {
  const { probing, state, verdict } = build()
  assert.deepEqual(verdict(), { status: 'unknown' })
  state.outcome = 'down'
  await probing.start()
  assert.deepEqual(verdict(), {
    status: 'down',
    at: 5_000_000,
    lastError: { label: 'database_unavailable', at: 5_000_000 },
  })
})

test('the last error stays known while the dependency is up again', async () => {
  const { clock, probing, state, verdict } = build()
  state.outcome = 'down'
  await probing.start()
  state.outcome = 'up'
  await clock.advance(2 * options.everyMs)
  assert.deepEqual(verdict(), {
    status: 'up',
    at: 5_002_000,
    lastError: { label: 'database_unavailable', at: 5_000_000 },
  })
  probing.stop()
})

test('a probe that hangs is given up after its limit, its signal aborted, and the next round finds it down', async () => {
  const { clock, probing, state, verdict } = build()
  await probing.start()
  state.outcome = 'hangs'
  await clock.advance(options.everyMs + options.timeoutMs)
  assert.equal(state.signals[1]?.aborted, true)
  assert.equal(verdict().status, 'up')
  await clock.advance(options.everyMs)
  assert.equal(verdict().status, 'down')
  assert.equal(verdict().lastError?.label, 'dependency_timeout')
  probing.stop()
})

test('while a probe has not settled it is not asked again, so a hanging dependency holds one connection', async () => {
  const { clock, probing, state } = build()
  await probing.start()
  state.outcome = 'hangs'
  await clock.advance(20_000)
  assert.equal(state.signals.length, 2)
  state.outcome = 'up'
  state.letGo()
  await clock.advance(options.everyMs)
  assert.equal(state.signals.length, 3)
  probing.stop()
})

test('a probe that never settles is asked again after a minute', async () => {
  const { clock, probing, state, verdict } = build()
  await probing.start()
  state.outcome = 'hangs'
  await clock.advance(options.everyMs)
  state.outcome = 'up'
  await clock.advance(61_000)
  assert.equal(state.signals.length, 4)
  assert.equal(verdict().status, 'up')
  probing.stop()
})

test('a round begins only after the one before it ended', async () => {
  const { clock, probing, state } = build()
  await probing.start()
  state.outcome = 'hangs'
  await clock.advance(options.everyMs + options.timeoutMs - 1)
  assert.equal(state.signals.length, 2)
  probing.stop()
})

test('what only informs is asked now and then, and nothing waits for it', async () => {
  const { clock, probing, state, verdict } = build({ needed: false })
  state.outcome = 'hangs'
  await probing.start()
  assert.equal(state.rounds, 1)
  await clock.advance(options.informEveryMs - 1)
  assert.equal(state.signals.length, 1)
  assert.equal(verdict().status, 'down')
  state.outcome = 'up'
  state.letGo()
  await clock.advance(1)
  assert.equal(state.signals.length, 2)
  assert.equal(state.rounds, 16)
  probing.stop()
})
