import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, createLogLevel } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

function started(level = 'info') {
  const clock = createManualClock()
  const messages: string[] = []
  const write = (line: string): void => void messages.push((JSON.parse(line) as { message: string }).message)
  const log = createLogger({ function: 'f', level }, { write })
  return { clock, log, messages, logLevel: createLogLevel({ log, clock }) }
}

test('a changed level holds for its time, and then the configured one comes back', async () => {
  const { clock, log, messages, logLevel } = started()
  log.debug('before')
  assert.deepEqual(logLevel.change('debug', 60_000), { level: 'debug', configured: 'info', seconds_left: 60 })
  log.debug('meanwhile')
  log.child({ event_id: '1' }).debug('also in the logger of an event')
  await clock.advance(59_999)
  assert.equal(logLevel.state().level, 'debug')
  await clock.advance(1)
  log.debug('after')
  assert.deepEqual(logLevel.state(), { level: 'info', configured: 'info' })
  assert.deepEqual(messages, [
    'the log level was changed by an operator',
    'meanwhile',
    'also in the logger of an event',
    'the log level is the configured one again',
  ])
})

test('a second change begins its own time', async () => {
  const { clock, logLevel } = started()
  logLevel.change('debug', 10_000)
  await clock.advance(9_000)
  logLevel.change('trace', 10_000)
  await clock.advance(9_000)
  assert.deepEqual(logLevel.state(), { level: 'trace', configured: 'info', seconds_left: 1 })
})

test('a change to less is told before it is silent', () => {
  const { messages, logLevel, log } = started()
  logLevel.change('error', 1_000)
  log.warn('unheard')
  assert.deepEqual(messages, ['the log level was changed by an operator'])
})
