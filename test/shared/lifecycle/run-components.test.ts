import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../support/index.ts'
import { startComponents, type Component } from '../../../shared/lifecycle/index.ts'

function record(
  log: string[],
  name: string,
  fails: { readonly start?: boolean; readonly stop?: boolean } = {},
): Component {
  return {
    name,
    start: async () => {
      log.push(`start ${name}`)
      if (fails.start === true) throw new Error(`${name} does not start`)
    },
    stop: async () => {
      log.push(`stop ${name}`)
      if (fails.stop === true) throw new Error(`${name} does not stop`)
    },
    health: () => ({ status: 'up' }),
  }
}

const never = new AbortController().signal

test('components start in order and stop in reverse', async () => {
  const log: string[] = []
  const running = await startComponents([record(log, 'a'), record(log, 'b')], never)
  await running.stop()
  assert.deepEqual(log, ['start a', 'start b', 'stop b', 'stop a'])
})

test('a start that fails half-way stops what had started and tells why', async () => {
  const log: string[] = []
  const starting = startComponents([record(log, 'a'), record(log, 'b', { start: true }), record(log, 'c')], never)
  await assert.rejects(starting, /b does not start/)
  assert.deepEqual(log, ['start a', 'start b', 'stop a'])
})

test('one that fails to stop does not keep the others from stopping, and the first error is thrown', async () => {
  const log: string[] = []
  const running = await startComponents(
    [record(log, 'a'), record(log, 'b', { stop: true }), record(log, 'c', { stop: true })],
    never,
  )
  await assert.rejects(running.stop(), /c does not stop/)
  assert.deepEqual(log.slice(3), ['stop c', 'stop b', 'stop a'])
})

test('the reason of a failed start survives an unwinding that fails too', async () => {
  const log: string[] = []
  const starting = startComponents([record(log, 'a', { stop: true }), record(log, 'b', { start: true })], never)
  await assert.rejects(starting, /b does not start/)
})

test('a stop that hangs is left behind at its limit, named, and does not keep the others from stopping', async () => {
  const clock = createManualClock()
  const log: string[] = []
  const hanging: Component = { ...record(log, 'b'), stop: () => new Promise(() => undefined) }
  const running = await startComponents([record(log, 'a'), hanging, record(log, 'c')], never, { clock })
  const rejected = assert.rejects(running.stop({ eachMs: 100 }), /b did not stop within 100 ms/)
  await clock.advance(100)
  await rejected
  assert.deepEqual(log.slice(3), ['stop c', 'stop a'])
  assert.deepEqual(clock.waiting, [])
})

test('an unwinding that hangs does not keep the reason from coming out', async () => {
  const clock = createManualClock()
  const hanging: Component = { ...record([], 'a'), stop: () => new Promise(() => undefined) }
  const starting = startComponents([hanging, record([], 'b', { start: true })], never, { unwindEachMs: 100, clock })
  const rejected = assert.rejects(starting, /b does not start/)
  await clock.advance(100)
  await rejected
})

test('stopping twice stops once', async () => {
  const log: string[] = []
  const running = await startComponents([record(log, 'a')], never)
  await Promise.all([running.stop(), running.stop()])
  assert.deepEqual(log, ['start a', 'stop a'])
})

test('an aborted start begins no further component and unwinds', async () => {
  const log: string[] = []
  const controller = new AbortController()
  const aborting: Component = { ...record(log, 'b'), start: async () => controller.abort(new Error('asked to stop')) }
  await assert.rejects(
    startComponents([record(log, 'a'), aborting, record(log, 'c')], controller.signal),
    /asked to stop/,
  )
  assert.deepEqual(log, ['start a', 'stop b', 'stop a'])
})
