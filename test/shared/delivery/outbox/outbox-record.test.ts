import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createEmissions, type Emission } from '../../../../shared/delivery/outbox/emission.ts'
import { recordOf } from '../../../../shared/delivery/outbox/outbox-record.ts'
import type { EmitOptions } from '../../../../shared/delivery/index.ts'
import { eventLimits, topics, type EventType } from '../../../../shared/events/index.ts'
import { newTrace, withTrace } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { anyText, jsonObjects } from '../../events/codec/arbitrary-events.ts'

const anything = { type: 'anything.v1', validate: () => true, explain: () => '' } as unknown as EventType

function emission(data: unknown, options: EmitOptions, tenant = 'acme'): Emission {
  const produces = [{ topic: topics.toolResults, type: anything }]
  const chain = { hops: 2, limit: 9 }
  const { emit, emitted } = createEmissions({ function: 'f', produces, tenant, chain }, { clock })
  const trace = { ...newTrace(), state: 'a=b', baggage: 'c=d' }
  withTrace(trace, () => emit(anything, data, options))
  const [only] = emitted
  assert.ok(only?.written)
  return only
}

const records = (emitted: Emission, sequence: number) => [
  recordOf({ ...emitted, sequence }),
  recordOf({ ...emitted, sequence, written: undefined }),
]

const text = fc.oneof(anyText, fc.constant(''))
const options = fc.record<EmitOptions>(
  { key: anyText, subject: text, sessionId: text, tenant: text, beginsChain: fc.boolean() },
  { requiredKeys: ['key'] },
)

test('what is published from memory is what would be published from the stored row, byte for byte', () => {
  fc.assert(
    fc.property(jsonObjects, options, fc.nat(), (data, emitOptions, sequence) => {
      const [fromMemory, fromRow] = records(emission(data, emitOptions), sequence)
      assert.deepEqual(fromMemory, fromRow)
    }),
  )
})

test('also of data that JSON writes in another way than it was given', () => {
  const data = {
    date: new Date(0),
    nothing: undefined,
    list: [undefined, -0, 1e21, 0.1],
    2: 'two',
    1: 'one',
    ['__proto__']: { a: 1 },
    own: { toJSON: () => ({ escaped: '\u2028"\\' }) },
  }
  const [fromMemory, fromRow] = records(emission(data, { key: 'k' }), 3)
  assert.deepEqual(fromMemory, fromRow)
  assert.equal(fromMemory?.value?.toString(), JSON.stringify(data))
})

test('what the handler does to its data after emitting changes nothing', () => {
  const data = { text: 'before', list: [1] }
  const emitted = emission(data, { key: 'k' })
  data.text = 'after'
  data.list.push(2)
  for (const { value } of records(emitted, 1)) assert.equal(value?.toString(), '{"text":"before","list":[1]}')
})

test('an event whose attributes have no room for its sequence is refused when it is emitted, not when it is published', () => {
  const withSubject = (length: number) => emission({}, { key: 'k', subject: 's'.repeat(length) })
  const [probe] = records(withSubject(1), 1)
  const attributes = (probe?.headers ?? []).filter(([name]) => name.startsWith('ce_'))
  const used = attributes.reduce(
    (sum, [name, value]) => sum + name.length - 'ce_'.length + (value?.length ?? 0),
    'datacontenttype'.length + 'application/json'.length,
  )
  const longest = 1 + eventLimits.attributeLength - used
  const [fromMemory, fromRow] = records(withSubject(longest), 1)
  assert.deepEqual(fromMemory, fromRow)
  assert.throws(() => withSubject(longest + 1), { code: 'ce_invalid' })
})
