// Writes of a memory as memory-service makes them, for tests that bring them to the replicator by hand.

import { v7 as uuid } from 'uuid'
import { memoryRecordWritten, type MemoryRecordWritten } from '../../../shared/events/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { chainBegin, checksumOf, streamOf } from '../../../shared/memory/index.ts'

export const signed = (write: MemoryRecordWritten, tenant = 'local'): MemoryRecordWritten => ({
  ...write,
  checksum: checksumOf(tenant, write),
})

/** The writes of one key, each after the one before. */
export function chainOf(key: string, contents: readonly string[], tenant = 'local'): readonly MemoryRecordWritten[] {
  const writes: MemoryRecordWritten[] = []
  for (const content of contents) {
    const write: MemoryRecordWritten = {
      key,
      sequence: writes.length + 1,
      operation: 'remember',
      namespace: 'test',
      content,
      language: 'en',
      metadata: {},
      written_at: '2025-01-15T12:00:00.000Z',
      previous: writes.at(-1)?.checksum ?? chainBegin,
      checksum: '',
    }
    writes.push(signed(write, tenant))
  }
  return writes
}

interface DeliverOptions {
  readonly id?: string
  readonly tenant?: string
}

/** POSTs the event as a KafkaSource would. Returns the status. */
export async function deliver(
  { port }: Service,
  write: MemoryRecordWritten,
  { id = uuid(), tenant = 'local' }: DeliverOptions = {},
): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'kn-namespace': 'test',
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/sluice/memory-service',
    'ce-type': memoryRecordWritten.type,
    'ce-tenant': tenant,
    'ce-partitionkey': streamOf(tenant, write.key),
    'ce-sluicetopic': 'memory.wal',
  }
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: JSON.stringify(write) })
  await response.arrayBuffer()
  return response.status
}
