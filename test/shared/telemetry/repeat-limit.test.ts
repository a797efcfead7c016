import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock } from '../../support/index.ts'

function limited() {
  const clock = createManualClock()
  const records: Record<string, unknown>[] = []
  const write = (line: string): void => void records.push(JSON.parse(line) as Record<string, unknown>)
  const repeats = { burst: 3, everyMs: 10_000 }
  const log = createLogger({ function: 'f', level: 'info', repeats }, { write }, { clock })
  return { clock, log, records }
}

test('of a fault that repeats only so many lines are written, and the number left out is told once', async () => {
  const { clock, log, records } = limited()
  for (let n = 0; n < 100; n += 1) log.error({ code: 'dependency_failed' }, 'a call failed')
  assert.equal(records.length, 3)
  await clock.advance(10_000)
  const { level, code, suppressed, repeated, message } = records.at(-1) ?? {}
  assert.deepEqual(
    { level, code, suppressed, repeated, message },
    {
      level: 'error',
      code: 'dependency_failed',
      suppressed: 97,
      repeated: 'a call failed',
      message: 'a line that repeated was left out',
    },
  )
  assert.equal(records.length, 4)
  await clock.advance(60_000)
  assert.equal(records.length, 4, 'nothing more is told of it')
})

test('after the while lines of the kind are written again', async () => {
  const { clock, log, records } = limited()
  for (let n = 0; n < 3; n += 1) log.warn('slow')
  await clock.advance(10_000)
  log.warn('slow')
  assert.equal(records.length, 4)
})

test('another message, code or level is another kind, and lines that tell of no fault are not limited', () => {
  const { log, records } = limited()
  for (let n = 0; n < 10; n += 1) {
    log.error({ code: 'a' }, 'failed')
    log.error({ code: 'b' }, 'failed')
    log.error('another')
    log.warn({ code: 'a' }, 'failed')
    log.info('fine')
  }
  assert.equal(records.filter(({ level }) => level === 'info').length, 10)
  assert.equal(records.filter(({ level }) => level !== 'info').length, 4 * 3)
})

test('the loggers of single events share the limit', () => {
  const { log, records } = limited()
  for (let n = 0; n < 10; n += 1) log.child({ event_id: String(n) }).error('failed')
  assert.equal(records.length, 3)
})

test('what was left out is told at the latest when the log is flushed, as at the end of a process', () => {
  const { log, records } = limited()
  for (let n = 0; n < 10; n += 1) log.error('failed')
  log.flush()
  assert.equal(records.at(-1)?.['suppressed'], 7)
})
