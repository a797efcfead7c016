import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judgeWrite, type StreamState } from '../../../functions/memory-replicator/judge-write.ts'
import type { MemoryRecordWritten } from '../../../shared/events/index.ts'
import { chainOf, signed } from '../support/memory-writes.ts'

const [first, second, third] = chainOf('k', ['one', 'two', 'three']) as [
  MemoryRecordWritten,
  MemoryRecordWritten,
  MemoryRecordWritten,
]
const after = ({ sequence, checksum }: MemoryRecordWritten, same?: MemoryRecordWritten): StreamState => ({
  newest: { sequence, checksum },
  same: same?.checksum,
})
const nothing: StreamState = { newest: undefined, same: undefined }
const kind = (write: MemoryRecordWritten, state: StreamState, tenant = 'local'): string =>
  judgeWrite(tenant, write, state).kind

test('the next write of the chain is applied, and so is the first of all', () => {
  assert.equal(kind(first, nothing), 'apply')
  assert.equal(kind(second, after(first)), 'apply')
  assert.equal(kind(third, after(second)), 'apply')
})

test('a write that comes when an earlier one is missing is a gap', () => {
  assert.equal(kind(second, nothing), 'gap')
  assert.equal(kind(third, after(first)), 'gap')
})

test('a write that the replica has, or had before compaction, is a repeat', () => {
  assert.equal(kind(second, after(second, second)), 'repeat')
  assert.equal(kind(first, after(third, first)), 'repeat')
  assert.equal(kind(first, after(third)), 'repeat')
})

test('another write in a place that is taken is a mismatch', () => {
  assert.equal(kind(signed({ ...second, content: 'forged' }), after(second, second)), 'mismatch')
})

test('a write that follows something else than what the replica has is a mismatch', () => {
  assert.equal(kind(second, after(signed({ ...first, content: 'other' }))), 'mismatch')
  assert.equal(kind(signed({ ...first, previous: 'ab'.repeat(32) }), nothing), 'mismatch')
})

test('a write of one tenant does not pass as another’s', () => {
  assert.equal(kind(first, nothing, 'other'), 'mismatch')
})

test('a restated write is applied over a gap, but never over one that is newer or when it was altered', () => {
  const restated = signed({ ...third, restated: true })
  assert.equal(kind(restated, after(first)), 'apply')
  assert.equal(kind(restated, nothing), 'apply')
  assert.equal(kind(restated, after(restated, restated)), 'repeat')
  assert.equal(kind({ ...restated, content: 'flipped' }, after(first)), 'mismatch')
})

test('whatever single character of a write is flipped, it is a mismatch', () => {
  const text = JSON.stringify(second)
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 0, max: 6 }), (at, bit) => {
      const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))
      const changed = parse(text.slice(0, at) + flipped + text.slice(at + 1))
      if (changed === undefined) return true // not even JSON any more
      const sameSaid = JSON.stringify(changed) === text
      return sameSaid || kind(changed, after(first)) === 'mismatch'
    }),
    { numRuns: 500 },
  )
})

function parse(text: string): MemoryRecordWritten | undefined {
  try {
    return JSON.parse(text) as MemoryRecordWritten
  } catch {
    return undefined
  }
}
