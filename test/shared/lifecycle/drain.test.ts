import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDrain } from '../../../shared/lifecycle/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

function deps() {
  const lines: string[] = []
  const log = createLogger({ function: 'x', level: 'info' }, { write: (line: string) => void lines.push(line) })
  return { clock: createManualClock(), log, lines }
}

const forever = () => new Promise<void>(() => undefined)

test('steps run in order, one after the other', async () => {
  const done: string[] = []
  const steps = ['a', 'b', 'c'].map((name) => ({ name, run: async () => void done.push(name) }))
  assert.deepEqual(await runDrain(steps, { totalMs: 100 }, deps()), { failed: [], timedOut: false })
  assert.deepEqual(done, ['a', 'b', 'c'])
})

test('a step that fails is logged once and does not keep the later ones from running', async () => {
  const { lines, ...rest } = deps()
  let closed = false
  const steps = [
    { name: 'outbox', run: () => Promise.reject(new Error('log gone')) },
    { name: 'telemetry', run: () => { throw new Error('disk gone') } }, // prettier-ignore
    { name: 'pools', run: async () => void (closed = true) },
  ]
  assert.deepEqual(await runDrain(steps, { totalMs: 100 }, rest), { failed: ['outbox', 'telemetry'], timedOut: false })
  assert.equal(closed, true)
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /"step":"outbox".*log gone/)
})

test('a step that hangs is left behind at its limit, with its signal aborted', async () => {
  const { lines: _lines, ...rest } = deps()
  let aborted = false
  const hang = (signal: AbortSignal) =>
    new Promise<void>(() => signal.addEventListener('abort', () => (aborted = true), { once: true }))
  let closed = false
  const draining = runDrain(
    [
      { name: 'work', withinMs: 30, run: hang },
      { name: 'pools', run: async () => void (closed = true) },
    ],
    { totalMs: 100 },
    rest,
  )
  await rest.clock.advance(29)
  assert.equal(closed, false)
  await rest.clock.advance(1)
  assert.deepEqual(await draining, { failed: ['work'], timedOut: true })
  assert.deepEqual([aborted, closed], [true, true])
  assert.deepEqual(rest.clock.waiting, [])
})

test('all steps together stay within the total, and the last ones still get their turn', async () => {
  const { lines: _lines, ...rest } = deps()
  let reached = false
  const draining = runDrain(
    [
      { name: 'a', withinMs: 80, run: forever },
      { name: 'b', withinMs: 80, run: forever },
      { name: 'c', run: () => void (reached = true) },
    ],
    { totalMs: 100 },
    rest,
  )
  await rest.clock.advance(100)
  await rest.clock.advance(0)
  assert.deepEqual(await draining, { failed: ['a', 'b'], timedOut: true })
  assert.equal(reached, true)
})
