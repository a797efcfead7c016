import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLeases } from '../../../../shared/delivery/outbox/leases.ts'
import type { Emission } from '../../../../shared/delivery/outbox/emission.ts'
import { systemClock } from '../../../../shared/time/index.ts'

const emissions = (count: number, characters = 2): readonly Emission[] =>
  Array.from({ length: count }, (_, index) => ({
    topic: 't',
    key: `k${index}`,
    id: `${index}`,
    tenant: '',
    json: 'x'.repeat(characters),
  }))

function startLeases() {
  let now = 0
  const leases = createLeases({ usableMs: 4_000 }, { clock: { ...systemClock, monotonic: () => now } })
  return {
    ...leases,
    pass: (ms: number) => void (now += ms),
    /** As a transaction that was committed, all of it leased. */
    commit: (emitted: readonly Emission[]) => {
      const lease = leases.offer(emitted)
      if (lease !== undefined)
        leases.granted(
          emitted,
          emitted.map((_, index) => index + 1),
          lease,
        )
      return leases.add(emitted)
    },
  }
}

test('one token serves a second; how long a lease may be used counts from its own request', () => {
  const { offer, pass } = startLeases()
  const first = offer(emissions(1))
  pass(999)
  const second = offer(emissions(1))
  pass(1)
  const third = offer(emissions(1))
  assert.equal(first?.token, second?.token)
  assert.notEqual(second?.token, third?.token)
  assert.deepEqual(
    [first, second, third].map((lease) => lease?.usableUntil),
    [4_000, 4_999, 5_000],
  )
})

test('after COMMIT what is leased waits with its sequence, once, and the rest is named', () => {
  const { offer, granted, add, next } = startLeases()
  const emitted = emissions(3)
  const lease = offer(emitted)
  assert.ok(lease)
  granted(emitted, [7, null, 1], lease)
  assert.deepEqual(next(), [], 'not before COMMIT')
  assert.deepEqual(add(emitted), [{ topic: 't', key: 'k1' }])
  assert.deepEqual(
    next().map(({ key, sequence }) => [key, sequence]),
    [
      ['k0', 7],
      ['k2', 1],
    ],
  )
  assert.deepEqual(next(), [])
  assert.equal(add(emitted).length, 3)
})

test('transactions are handed out whole, as many together as one append takes', () => {
  const { commit, next } = startLeases()
  for (let n = 0; n < 5; n += 1) commit(emissions(30))
  assert.deepEqual([next().length, next().length, next().length], [60, 60, 30])
  for (let n = 0; n < 8; n += 1) commit(emissions(1, 131_072))
  assert.deepEqual([next().length, next().length], [6, 2])
})

test('a transaction that emits much gets no lease, nor does any while much waits', () => {
  const { offer, commit, next } = startLeases()
  assert.equal(offer(emissions(101)), undefined)
  assert.equal(offer(emissions(1, 131_073)), undefined)
  for (let n = 0; n < 20; n += 1) assert.deepEqual(commit(emissions(100)), [])
  assert.equal(offer(emissions(1)), undefined)
  next()
  assert.ok(offer(emissions(1)))
  while (next().length > 0);
  for (let n = 0; n < 64; n += 1) assert.deepEqual(commit(emissions(1, 131_072)), [])
  assert.equal(offer(emissions(1)), undefined)
})
