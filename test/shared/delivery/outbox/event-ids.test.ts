import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validate, version } from 'uuid'
import { createEventIds } from '../../../../shared/delivery/outbox/event-ids.ts'

/** The last digits of an id, which are nothing but random; others count too. */
const randomDigits = 10

test('ids are UUIDs of version 7 that rise within a millisecond, over the end of the pool, and when the clock steps back', () => {
  const start = Date.parse('2026-03-01T00:00:00Z')
  let now = start
  const next = createEventIds({ now: () => now })
  const ids = Array.from({ length: 2_000 }, (_, index) => {
    now = index < 900 ? start : start + (index % 7) - 3
    return next()
  })
  assert.ok(ids.every((id) => validate(id) && version(id) === 7))
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids.map((id) => id.slice(-randomDigits))).size, ids.length, 'no random bits are used twice')
  assert.equal(Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16), start)
})

test('what two processes make in the same millisecond differs', () => {
  const [one, other] = [createEventIds({ now: () => 1 }), createEventIds({ now: () => 1 })]
  assert.notEqual(one(), other())
})
