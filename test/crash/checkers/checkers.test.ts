// Each checker on hand-made bad histories: what it must find, and that it is content with what is allowed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicBetween, topicOfResults, topicOfSenders, type Effect, type History } from '../history/history.ts'
import { checkers, extraCopies, type Invariant } from './index.ts'
import { goodHistory } from './good-history.ts'

const good = goodHistory()

/** Invariants that the checkers find broken. */
const broken = (changes: Partial<History>): readonly Invariant[] =>
  checkers.filter(({ check }) => check({ ...good, ...changes }).length > 0).map(({ invariant }) => invariant)

function assertFound(invariant: Invariant, changes: Partial<History>): void {
  assert.ok(broken(changes).includes(invariant), `${invariant} is not found broken, but ${broken(changes).join(', ')}`)
}

const isOf = (actor: string, id: string) => (effect: Effect) => effect.actor === actor && effect.id === id
const changed = (actor: string, id: string, changes: Partial<Effect>): History['effects'] =>
  good.effects.map((effect) => (isOf(actor, id)(effect) ? { ...effect, ...changes } : effect))
const without = (actor: string, id: string): History['effects'] =>
  good.effects.filter((effect) => !isOf(actor, id)(effect))
const another = (actor: string, id: string): Effect => {
  const found = good.effects.find(isOf(actor, id))
  assert.ok(found)
  return found
}

test('a history with a dead letter, repeats, a conflict and a failed send breaks nothing', () => {
  assert.deepEqual(broken({}), [])
  assert.equal(extraCopies(good), 1)
})

test('I1 finds an acknowledged event without effect', () => {
  assertFound('I1', { effects: without('counter', 'a3') })
})

test('I1 takes a dead letter for an answer, and nothing else', () => {
  assertFound('I1', { deadLetters: good.deadLetters.filter(({ id }) => id !== 'a2') })
  const elsewhere = good.deadLetters.map((dead) => ({ ...dead, function: 'banker' }))
  assertFound('I1', { deadLetters: elsewhere })
})

test('I1 does not ask for the effect of a send whose outcome nobody knows', () => {
  const sends = good.sends.map((send) => (send.id === 'a3' ? { ...send, outcome: 'indeterminate' as const } : send))
  const found = checkers[0]?.check({ ...good, sends, effects: good.effects.filter(({ origin }) => origin !== 'a3') })
  assert.deepEqual(found, [])
})

test('I1 asks for the effect when a repeat of an unknown send was acknowledged', () => {
  const sends = good.sends.flatMap((send) =>
    send.id === 'a3'
      ? [
          { ...send, outcome: 'indeterminate' as const },
          { ...send, kind: 'repeat' as const },
        ]
      : [send],
  )
  assertFound('I1', { sends, effects: without('counter', 'a3') })
})

test('I1 finds an emitted event that nobody handled', () => {
  assertFound('I1', { effects: without('banker', 'b1-emitted') })
})

test('I1 finds other data under a used id that is no dead letter', () => {
  assertFound('I1', { deadLetters: good.deadLetters.filter(({ cause }) => cause !== 'id_conflict') })
})

for (const left of ['parked', 'lanes', 'outboxPending', 'lag', 'dropped'] as const) {
  test(`I1 finds what is left at the end: ${left}`, () => {
    assertFound('I1', { remainder: { ...good.remainder, [left]: 1 } })
  })
}

test('I2 finds two effects of one event', () => {
  assertFound('I2', { effects: [...good.effects, another('counter', 'a1')] })
})

test('I2 finds two effects that go back to one event by two ids', () => {
  const twin = { ...another('banker', 'a1-emitted'), id: 'other-id', version: 3 }
  assertFound('I2', { effects: [...good.effects, twin] })
})

test('I2 finds a charge under two idempotency keys', () => {
  const call = good.bankCalls[0]
  assert.ok(call)
  assertFound('I2', { bankCalls: [...good.bankCalls, { ...call, idempotencyKey: 'another', applied: false }] })
})

test('I2 allows a charge that is asked again under its key', () => {
  const call = good.bankCalls[0]
  assert.ok(call)
  assert.deepEqual(broken({ bankCalls: [...good.bankCalls, { ...call, applied: false }] }), [])
})

test('I2 finds two calls of a step that runs once', () => {
  const told = { step: 'notify', idempotencyKey: 'k', origin: 'a1', amount: 1, applied: true } as const
  assert.deepEqual(broken({ bankCalls: [...good.bankCalls, told] }), [])
  assertFound('I2', { bankCalls: [...good.bankCalls, told, told] })
})

test('I2 finds a counter that is not what the model says, in both directions', () => {
  for (const value of [3, 5]) {
    const counters = good.counters.map((counter) => (counter.key === 'a' ? { ...counter, value } : counter))
    assertFound('I2', { counters })
  }
  assertFound('I2', { counters: good.counters.filter(({ key }) => key !== 'b') })
})

test('I3 finds an effect of what nobody sent', () => {
  assertFound('I3', { effects: changed('counter', 'a1', { id: 'ghost' }) })
})

test('I3 finds an effect of a send that failed', () => {
  assertFound('I3', { effects: [...good.effects, { ...another('counter', 'a3'), id: 'a4', version: 3, amount: 4 }] })
})

test('I3 finds an effect of a handler that always throws: its transaction was not undone', () => {
  assertFound('I3', { effects: [...good.effects, { ...another('counter', 'a1'), id: 'a2', amount: 2, version: 3 }] })
})

test('I3 finds an effect with the data of a conflict', () => {
  assertFound('I3', { effects: changed('counter', 'a1', { amount: 101 }) })
})

test('I3 finds an effect of the second function without one of the first', () => {
  assertFound('I3', { effects: without('counter', 'a1') })
})

test('I3 finds a call to the bank for what never was', () => {
  assertFound('I3', {
    bankCalls: [...good.bankCalls, { step: 'charge', idempotencyKey: 'k', origin: 'a2', amount: 2, applied: true }],
  })
})

test('I3 finds a recorded charge that the bank never made', () => {
  assertFound('I3', { bankCalls: good.bankCalls.map((call) => ({ ...call, applied: call.origin !== 'a1' })) })
})

test('I4 finds effects in another order than the topic', () => {
  for (const actor of ['counter', 'banker'] as const) {
    const swapped = good.effects.map((effect) =>
      effect.actor === actor && effect.key === 'a' ? { ...effect, version: 3 - (effect.version ?? 0) } : effect,
    )
    assertFound('I4', { effects: swapped })
  }
})

test('I4 finds a skipped event', () => {
  assertFound('I4', { effects: without('counter', 'a1') })
})

test('I4 finds a hole in the commits of a key', () => {
  assertFound('I4', { effects: changed('counter', 'a3', { version: 3 }) })
})

test('I4 lets a replayed dead letter come late', () => {
  const late = { ...another('counter', 'a1'), id: 'a2', origin: 'a2', amount: 2, version: 3, emitted: 'a2-emitted' }
  const [, , , order] = checkers
  assert.deepEqual(order?.check({ ...good, effects: [...good.effects, late], ledger: ['a2'] }), [])
})

test('I4 finds acknowledged events in the topic in another order than they were sent', () => {
  const records = good.records.map((record) =>
    record.topic === topicOfSenders && record.id === 'a3' ? { ...record, offset: -1 } : record,
  )
  assertFound('I4', { records })
})

test('I5 finds an outbox row that is not in its topic', () => {
  assertFound('I5', { records: good.records.filter(({ id }) => id !== 'a3-result') })
})

test('I5 finds a row in the topic that the outbox has as pending', () => {
  assertFound('I5', { outbox: good.outbox.map((row, at) => (at === 0 ? { ...row, state: 'pending' } : row)) })
})

test('I5 finds a record without a row', () => {
  assertFound('I5', { outbox: good.outbox.filter(({ id }) => id !== 'b1-emitted') })
})

test('I5 finds a record in the topic of another key than its row', () => {
  assertFound('I5', { records: good.records.map((one) => (one.id === 'b1-result' ? { ...one, key: 'a' } : one)) })
})

test('I5 takes two rows of one event for what they are, and misses the record of either', () => {
  const twice = { topic: `${topicBetween}.dlq`, key: 'c', id: 'c1' }
  const rows = [1, 2].map((sequence) => ({ ...twice, sequence, state: 'sent' as const }))
  const records = [1, 2].map((sequence) => ({ ...twice, sequence, partition: 0, offset: sequence }))
  const outbox = [...good.outbox, ...rows]
  assert.deepEqual(broken({ outbox, records: [...good.records, ...records] }), [])
  assertFound('I5', { outbox, records: [...good.records, ...records.slice(0, 1)] })
})

test('I5 finds first occurrences that overtake each other', () => {
  const records = good.records.map((record) =>
    record.topic === topicBetween && record.id === 'a3-emitted' ? { ...record, offset: -1 } : record,
  )
  assertFound('I5', { records })
})

test('I5 finds a hole in the sequences', () => {
  const moved = { sequence: 3 }
  const isLast = ({ topic, id }: { readonly topic: string; readonly id: string }): boolean =>
    topic === topicOfResults && id === 'a3-result'
  assertFound('I5', {
    outbox: good.outbox.map((row) => (isLast(row) ? { ...row, ...moved } : row)),
    records: good.records.map((record) => (isLast(record) ? { ...record, ...moved } : record)),
  })
})
