import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSpanBatches } from '../../../shared/telemetry/span-batches.ts'
import { createManualClock, until } from '../../support/index.ts'

interface Body {
  readonly spans: readonly string[]
  /** Answers the request: empty when it was taken. */
  answer(reason: string): void
}

function setUp() {
  const clock = createManualClock()
  const bodies: Body[] = []
  const told = { sent: 0, lost: 0, reasons: new Set<string>() }
  const batches = createSpanBatches(
    { frame: ['{"spans":[', ']}'] },
    {
      clock,
      sender: {
        send: (body) =>
          new Promise((answer) => {
            bodies.push({ ...(JSON.parse(body.toString()) as Pick<Body, 'spans'>), answer })
          }),
      },
      onExported: (outcome, spans, reason) => {
        told[outcome] += spans
        if (outcome === 'lost') told.reasons.add(reason)
      },
    },
  )
  return { clock, bodies, told, batches }
}

const long = JSON.stringify('x'.repeat(40_000))

test('spans that are few wait for others, and go out together after a second', async () => {
  const { clock, bodies, told, batches } = setUp()
  for (const text of ['a', 'ü', '🙂']) batches.add(JSON.stringify(text))
  await clock.advance(999)
  assert.equal(bodies.length, 0)
  await clock.advance(1)
  assert.deepEqual(bodies[0]?.spans, ['a', 'ü', '🙂'])
  bodies[0]?.answer('')
  await until('it is told', () => told.sent === 3)
  assert.deepEqual(clock.waiting, [])
})

test('a body that is full goes out at once, and every span is in one of them, in order', async () => {
  const { bodies, told, batches } = setUp()
  let added = 0
  for (let round = 1; round <= 50; round += 1) {
    while (bodies.length < round) {
      batches.add(JSON.stringify(`${added} ${'x'.repeat(20_000)}`))
      added += 1
    }
    bodies[round - 1]?.answer('')
    await until('it is told', () => told.sent === added)
  }
  const numbers = bodies.flatMap(({ spans }) => spans.map((span) => Number.parseInt(span, 10)))
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => at),
  )
})

test('a collector that does not keep up costs spans and neither memory nor time, and loss is told', async () => {
  const { bodies, told, batches } = setUp()
  for (let n = 0; n < 1_000; n += 1) batches.add(long)
  assert.ok(told.lost > 800, `${told.lost}`)
  assert.deepEqual([...told.reasons], ['the collector does not keep up'])
  assert.equal(bodies.length, 4, 'under way at once')
  const flushed = batches.flush()
  for (let n = 0; n < 32; n += 1) {
    await until('the next one is sent', () => bodies[n] ?? told.sent + told.lost === 1_000)
    bodies[n]?.answer(n === 0 ? 'status 400' : '')
  }
  await flushed
  assert.equal(told.sent + told.lost, 1_000)
  assert.ok(told.reasons.has('status 400'))
  batches.add('1')
  void batches.flush()
  assert.deepEqual(bodies.at(-1)?.spans, [1], 'there is room again')
})

test('a span longer than any may be is lost by itself', async () => {
  const { bodies, told, batches } = setUp()
  batches.add('1')
  batches.add(JSON.stringify('x'.repeat(200_000)))
  batches.add('2')
  void batches.flush()
  assert.deepEqual(bodies[0]?.spans, [1, 2])
  assert.deepEqual([told.lost, [...told.reasons]], [1, ['a span is too long']])
})

test('the longest spans fit, whatever their letters', async () => {
  const { bodies, batches } = setUp()
  const longest = JSON.stringify('€'.repeat(87_300))
  for (let n = 0; n < 4; n += 1) batches.add(longest)
  void batches.flush()
  assert.deepEqual(
    bodies.flatMap(({ spans }) => spans.map((span) => span.length)),
    [87_300, 87_300, 87_300, 87_300],
  )
})

test('after the stop nothing is taken, no timer is left, and what waits is told as lost', async () => {
  const { clock, told, batches } = setUp()
  for (let n = 0; n < 80; n += 1) batches.add(long)
  batches.stop()
  batches.add('1')
  assert.deepEqual(clock.waiting, [])
  assert.ok(told.lost >= 81 - 32 && told.lost < 81, `${told.lost}: all but the four that are under way`)
  assert.deepEqual([...told.reasons], ['the process stops'])
})
