import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propagatedBaggage, propagatedTracestate } from '../../../local/kafka-source/propagation.ts'

test('a tracestate goes on without white space between its members', () => {
  assert.equal(propagatedTracestate('vendor=abc'), 'vendor=abc')
  assert.equal(propagatedTracestate('a=1 ,\tb@c=2'), 'a=1,b@c=2')
})

test('a tracestate with a member that is not understood is not sent at all', () => {
  for (const text of [
    '',
    'novalue',
    'A=1',
    'a=1,a=2',
    'a=1,b',
    Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(),
  ])
    assert.equal(propagatedTracestate(text), undefined, text)
})

test('baggage goes on by key, what is no pair is left out', () => {
  assert.equal(propagatedBaggage('user=alice'), 'user=alice')
  assert.equal(propagatedBaggage('b=2, a=1%20x ,nonsense'), 'a=1%20x,b=2')
  assert.equal(propagatedBaggage('nonsense'), undefined)
  assert.equal(propagatedBaggage(undefined), undefined)
})
