import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isTimestamp } from '../../../../shared/events/codec/timestamp.ts'

test('RFC 3339 with a zone is a timestamp', () => {
  const texts = [
    '2026-09-01T10:15:30Z',
    '2026-09-01T10:15:30.123456789Z',
    '2026-09-01T10:00:00+02:00',
    '2024-02-29T23:59:59-11:30',
    '2000-02-29T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.9z',
    '2026-09-01t10:15:30Z',
  ]
  for (const text of texts) assert.ok(isTimestamp(text), text)
})

test('every date of the four-digit years is a timestamp as JavaScript writes it', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  fc.assert(fc.property(dates, (date) => isTimestamp(date.toISOString())))
})

test('no zone, five-digit years, leap seconds, days that do not exist and other notations are not', () => {
  const texts = [
    '2026-09-01T10:15:30',
    '+99999-01-01T00:00:00Z',
    '99999-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-09-01T24:00:00Z',
    '2026-09-01T10:60:00Z',
    '2026-09-01T10:15Z',
    '2026-09-01T10:15:30.Z',
    '2026-09-01T10:15:30.1234567890Z',
    '2026-09-01T10:15:30,1Z',
    '2026-09-01T10:15:30+16:00',
    '2026-09-01T10:15:30+02:60',
    '2026-09-01T10:15:30+0200',
    '2026-09-01 10:15:30Z',
    '2026-09-01',
    '1756721730',
    '',
    ' 2026-09-01T10:15:30Z',
    '2026-09-01T10:15:30Z\n',
  ]
  for (const text of texts) assert.equal(isTimestamp(text), false, text)
})
