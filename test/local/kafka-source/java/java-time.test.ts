import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaDateTime, javaInstant } from '../../../../local/kafka-source/java/java-time.ts'

const printed: readonly (readonly [string, string])[] = [
  ['2026-09-01T10:00:00Z', '2026-09-01T10:00:00Z'],
  ['2026-09-01T10:00Z', '2026-09-01T10:00:00Z'],
  ['2026-09-01t10:00:00z', '2026-09-01T10:00:00Z'],
  ['2026-09-01T10:00:00.120000000+02:00', '2026-09-01T10:00:00.12+02:00'],
  ['2026-09-01T10:00:00.123456789-05:30', '2026-09-01T10:00:00.123456789-05:30'],
  ['2026-09-01T10:00:00+00:00', '2026-09-01T10:00:00Z'],
  ['2026-09-01T10:00:00-00:00', '2026-09-01T10:00:00Z'],
  ['2026-09-01T10:00:00+02', '2026-09-01T10:00:00+02:00'],
  ['2026-09-01T10:00:00+0200', '2026-09-01T10:00:00+02:00'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
]

test('a time keeps its offset and up to nine digits, and is printed with seconds and without trailing zeros', () => {
  assert.deepEqual(
    printed.map(([text]) => javaDateTime(text)),
    printed.map(([, expected]) => expected),
  )
})

test('no zone, no such day or hour, ten digits, an offset beyond 18 hours: no time', () => {
  const wrong = [
    '2026-09-01T10:00:00',
    '2026-02-29T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-09-01T24:00:00Z',
    '2026-09-01T10:00:60Z',
    '2026-09-01T10:00:00.1234567891Z',
    '2026-09-01T10:00:00+18:01',
    '2026-09-01 10:00:00Z',
    '26-09-01T10:00:00Z',
    '',
  ]
  assert.deepEqual(
    wrong.filter((text) => javaDateTime(text) !== undefined),
    [],
  )
})

test('an instant has no more digits than it needs', () => {
  const instants = [0, 1_788_257_730_120, 1_788_257_730_000, -1].map(javaInstant)
  assert.deepEqual(instants, [
    '1970-01-01T00:00:00Z',
    '2026-09-01T10:15:30.12Z',
    '2026-09-01T10:15:30Z',
    '1969-12-31T23:59:59.999Z',
  ])
})
