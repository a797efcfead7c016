import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBackgroundStart } from '../../../shared/function/background-start.ts'
import type { Component } from '../../../shared/lifecycle/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

function build(failures: number) {
  const log: string[] = []
  const component: Component = {
    name: 'event log',
    start: async (signal) => {
      log.push('start')
      signal.throwIfAborted()
      if (log.length <= failures) throw new Error('not yet')
    },
    stop: async () => void log.push('stop'),
    health: () => ({ status: 'unknown' }),
  }
  const clock = createManualClock()
  const deps = { clock, log: createLogger({ function: 'x', level: 'silent' }) }
  return { log, clock, background: createBackgroundStart(component, deps) }
}

const never = new AbortController().signal

test('the start returns at once and is tried again until it works', async () => {
  const { background, clock, log } = build(2)
  await background.start(never)
  await clock.advance(120_000)
  assert.deepEqual(log, ['start', 'start', 'start'])
  await background.stop()
  assert.deepEqual(log.at(-1), 'stop')
})

test('stop ends the tries and stops the component', async () => {
  const { background, clock, log } = build(1_000)
  await background.start(never)
  await background.stop()
  const tries = log.length
  await clock.advance(600_000)
  assert.deepEqual([log.length, log.at(-1)], [tries, 'stop'])
  assert.deepEqual(clock.waiting, [])
})
