import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCron } from '../../../local/ping-source/index.ts'

/** The next ticks of a schedule after a point in time, both in UTC and shown to the minute. */
function ticks(schedule: string, after: string, count = 3): readonly string[] {
  const cron = parseCron(schedule)
  const found: string[] = []
  let ms = Date.parse(`${after}:00Z`)
  for (let index = 0; index < count; index += 1) {
    const next = cron.next(ms)
    if (next === undefined) break
    found.push(new Date(next).toISOString().slice(0, 16))
    ms = next
  }
  return found
}

test('every minute means the next whole minute, never the present one', () => {
  assert.deepEqual(ticks('* * * * *', '2026-03-01T10:15', 2), ['2026-03-01T10:16', '2026-03-01T10:17'])
  assert.equal(parseCron('* * * * *').next(Date.parse('2026-03-01T10:15:30Z')), Date.parse('2026-03-01T10:16:00Z'))
})

test('steps, lists, ranges and names', () => {
  assert.deepEqual(ticks('*/20 * * * *', '2026-03-01T10:15'), [
    '2026-03-01T10:20',
    '2026-03-01T10:40',
    '2026-03-01T11:00',
  ])
  assert.deepEqual(ticks('5/25 9 * * *', '2026-03-01T08:00', 2), ['2026-03-01T09:05', '2026-03-01T09:30'])
  assert.deepEqual(ticks('0 8-9,17 * * *', '2026-03-01T08:00'), [
    '2026-03-01T09:00',
    '2026-03-01T17:00',
    '2026-03-02T08:00',
  ])
  assert.deepEqual(ticks('0 0 1 JAN,jul ?', '2026-03-01T00:00', 2), ['2026-07-01T00:00', '2027-01-01T00:00'])
  assert.deepEqual(ticks('30 6 * * mon-fri', '2026-03-06T12:00', 1), ['2026-03-09T06:30'])
})

test('when both day fields are restricted either may match', () => {
  assert.deepEqual(ticks('0 0 13 * fri', '2026-03-01T00:00'), [
    '2026-03-06T00:00',
    '2026-03-13T00:00',
    '2026-03-20T00:00',
  ])
})

test('29 February is found, and a day that never comes is not', () => {
  assert.deepEqual(ticks('0 0 29 2 *', '2026-03-01T00:00', 1), ['2028-02-29T00:00'])
  assert.deepEqual(ticks('0 0 31 2 *', '2026-03-01T00:00', 1), [])
})

test('what is not a schedule is refused with the field at fault', () => {
  assert.throws(() => parseCron('* * * *'), /five fields/)
  assert.throws(() => parseCron('60 * * * *'), /'60' is not a valid minute/)
  assert.throws(() => parseCron('* 5-3 * * *'), /'5-3' is not a valid hour/)
  assert.throws(() => parseCron('* * 0 * *'), /day of month/)
  assert.throws(() => parseCron('* * * foo *'), /'foo' is not a valid month/)
  assert.throws(() => parseCron('*/0 * * * *'), /valid minute/)
})
