import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetterCopy } from '../../../../shared/delivery/dead-letters/copy.ts'
import { recordOf } from '../../../../shared/delivery/outbox/outbox-record.ts'
import { eventLimits, toJsonFormat } from '../../../../shared/events/index.ts'
import { eventOf, incoming } from '../workbench.ts'

const { event, raw } = incoming({ id: 'e1', data: { text: 'hello' } })
const death = {
  function: 'f',
  source: event.source,
  id: event.id,
  topic: 'tool.requests',
  partition: 0,
  offset: 1,
  key: 'lane',
  recordKey: 'session',
  tenant: 'acme',
  cause: 'rejected',
  message: 'no',
  fingerprint: '0123456789abcdef',
  attempts: 2,
  raw,
  headers: null,
  event: JSON.stringify(toJsonFormat(event)),
  trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
} as const
const deadLetterId = '0191b7c4-5c33-7a3a-9d1e-1f2a3b4c5d6e'

test('the copy is the event itself with the facts of its failure, under the key of its record', () => {
  const copy = deadLetterCopy(death, deadLetterId)
  assert.equal(copy?.topic, 'tool.requests.dlq')
  assert.equal(copy?.key, 'session')
  const { extensions, ...rest } = eventOf(copy?.json ?? '')
  assert.deepEqual(rest, { ...rest, id: 'e1', source: '/test', data: { text: 'hello' } })
  const { sluicecause, sluiceattempts, sluicefingerprint, sluicefunction, sluicedeadletter } = extensions
  assert.deepEqual(
    [sluicecause, sluiceattempts, sluicefingerprint, sluicefunction, sluicedeadletter],
    ['rejected', '2', '0123456789abcdef', 'f', deadLetterId],
  )
})

test('an event that would be too large or have too many attributes with the facts travels without its data, never not at all', () => {
  const huge = {
    ...death,
    raw: Buffer.alloc(1_200_000),
    event: JSON.stringify(toJsonFormat({ ...event, data: 'x'.repeat(999_900) })),
  }
  const remains = eventOf(deadLetterCopy(huge, deadLetterId)?.json ?? '')
  assert.equal(remains.id, deadLetterId)
  assert.equal(remains.data, undefined)
  const factsAndSequence = 6
  for (const [count, isCrowded] of [
    [eventLimits.extensions - factsAndSequence, false],
    [eventLimits.extensions - factsAndSequence + 1, true],
    [eventLimits.extensions, true],
  ] as const) {
    const extensions = Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, '1']))
    const crowded = { ...death, event: JSON.stringify(toJsonFormat({ ...event, extensions })) }
    const copy = deadLetterCopy(crowded, deadLetterId)
    assert.ok(copy)
    assert.deepEqual(eventOf(copy.json).data, isCrowded ? raw : event.data)
    recordOf({ ...copy, sequence: 1 }) // does not throw: it can be published
  }
})

test('without a topic, or from a topic without a dead-letter topic, there is no copy', () => {
  for (const topic of [null, 'unheard.of', 'tool.requests.dlq'])
    assert.equal(deadLetterCopy({ ...death, topic }, deadLetterId), undefined)
})
