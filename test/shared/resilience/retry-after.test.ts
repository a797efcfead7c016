import { test } from 'node:test'
import assert from 'node:assert/strict'
import { parseRetryAfter } from '../../../shared/resilience/retry-after.ts'

const now = Date.UTC(2025, 10, 25, 8, 0, 0)

const cases: readonly (readonly [string | undefined, number | undefined])[] = [
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
  ['Tue, 25 Nov 2025 08:00:30 GMT', 30_000],
  ['Tue, 25 Nov 2025 07:59:00 GMT', 0],
  ['Tuesday, 25-Nov-25 08:01:00 GMT', 60_000],
  ['9999999999', 86_400_000],
  ['Fri, 25 Nov 2095 08:00:00 GMT', 86_400_000],
  [undefined, undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['1e9', undefined],
  ['soon', undefined],
  ['2025', 2_025_000],
  ['25 Nov 2025', undefined],
]

for (const [value, expected] of cases) {
  test(`Retry-After ${JSON.stringify(value)} means ${expected === undefined ? 'nothing' : `${expected} ms`}`, () => {
    assert.equal(parseRetryAfter(value, now), expected)
  })
}
