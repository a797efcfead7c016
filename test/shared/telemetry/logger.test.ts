import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createLogger, newTrace, withTrace, type Logger } from '../../../shared/telemetry/index.ts'

function capture(level = 'info'): {
  readonly log: Logger
  readonly records: () => Record<string, unknown>[]
  readonly text: () => string
} {
  let text = ''
  const log = createLogger({ function: 'memory-sync', level }, { write: (line: string) => void (text += line) })
  return {
    log,
    text: () => text,
    records: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

test('every record has time, level, function, trace and message', () => {
  const { log, records } = capture()
  const trace = newTrace()
  log.info('outside')
  withTrace(trace, () => log.warn({ count: 2 }, 'inside'))
  const [outside, inside] = records()
  assert.deepEqual(
    [outside?.['function'], outside?.['level'], outside?.['message'], outside?.['trace_id']],
    ['memory-sync', 'info', 'outside', ''],
  )
  assert.deepEqual(
    [inside?.['trace_id'], inside?.['span_id'], inside?.['count'], inside?.['level']],
    [trace.traceId, trace.spanId, 2, 'warn'],
  )
  assert.match(String(inside?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('the time of a record is the time it was written, to the millisecond', async () => {
  const { log, records } = capture()
  const before = Date.now()
  for (let n = 0; n < 30; n += 1) {
    log.info('x')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const times = records().map((record) => Date.parse(String(record['time'])))
  assert.ok(times.every((time, at) => time >= before && time <= Date.now() && time >= (times[at - 1] ?? 0)))
  assert.ok(new Set(times.map((time) => Math.floor(time / 1_000))).size >= 2, 'a second began meanwhile')
})

test('an explicit trace id wins over the current one and stands there once', () => {
  const { log, text } = capture()
  withTrace(newTrace(), () => log.info({ trace_id: 'given' }, 'x'))
  assert.equal(text().match(/"trace_id"/g)?.length, 1)
  assert.match(text(), /"trace_id":"given"/)
})

test('hostile text stays one escaped line', () => {
  const { log, records, text } = capture()
  const hostile = 'a\r\n{"level":"fatal"}\u001b[31m\u0000\u2028\u202e'
  log.info({ hostile }, hostile)
  assert.equal(text().trimEnd().includes('\n'), false)
  assert.equal(records()[0]?.['hostile'], hostile)
})

test('values that cannot be written never make the logger throw', () => {
  const { log, records } = capture()
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const throwing = {
    get inside() {
      throw new Error('no')
    },
    toJSON() {
      throw new Error('no')
    },
  }
  let deep: unknown = 'end'
  for (let depth = 0; depth < 10_000; depth += 1) deep = [deep]
  const values = [circular, 1n, throwing, new Proxy({}, { ownKeys: () => { throw new Error('no') } }), deep, Symbol('x'), () => 1] // prettier-ignore
  for (const value of values) log.info({ value }, 'odd')
  assert.equal(records().length, values.length)
})

test('a secret prints as a placeholder', () => {
  const { log, text } = capture()
  log.info({ url: secret('hunter2'), nested: { key: secret('hunter2') } }, 'connecting')
  assert.equal(text().includes('hunter2'), false)
  assert.match(text(), /\[secret\]/)
})

test('records below the level are not written', () => {
  const { log, text } = capture('warn')
  log.info('quiet')
  assert.equal(text(), '')
  assert.equal(log.isLevelEnabled('info'), false)
})
