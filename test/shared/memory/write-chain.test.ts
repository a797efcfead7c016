import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryRecordWritten } from '../../../shared/events/index.ts'
import { chainBegin, checksumOf, streamOf } from '../../../shared/memory/index.ts'

const write: MemoryRecordWritten = {
  key: 'k',
  sequence: 1,
  operation: 'remember',
  namespace: 'n',
  session_id: 's',
  content: 'said',
  language: 'en',
  metadata: { a: '1', b: '2' },
  written_at: '2025-01-15T12:00:00.000Z',
  previous: chainBegin,
  checksum: '',
}

test('the checksum covers every part of a write, and the tenant', () => {
  const checksum = checksumOf('local', write)
  assert.match(checksum, /^[0-9a-f]{64}$/)
  const changes: readonly Partial<MemoryRecordWritten>[] = [
    { key: 'l' },
    { sequence: 2 },
    { operation: 'forget' },
    { restated: true },
    { namespace: 'm' },
    { session_id: 't' },
    { content: 'Said' },
    { language: 'de' },
    { metadata: { a: '1', b: '3' } },
    { written_at: '2025-01-15T12:00:00.001Z' },
    { previous: 'f'.repeat(64) },
  ]
  for (const change of changes)
    assert.notEqual(checksumOf('local', { ...write, ...change }), checksum, JSON.stringify(change))
  assert.notEqual(checksumOf('other', write), checksum)
})

test('the checksum does not depend on how the write was spelt, nor on the checksum it carries', () => {
  const { metadata: _, ...rest } = write
  const respelt = { metadata: { b: '2', a: '1' }, ...rest, checksum: 'anything' }
  assert.equal(checksumOf('local', respelt), checksumOf('local', write))
})

test('a tenant cannot choose a key that is another tenant’s stream', () => {
  assert.notEqual(streamOf('a', 'b/c'), streamOf('a.b', 'c'))
  assert.equal(streamOf('a', 'b/c'), 'a/b/c') // no tenant holds a slash
})
