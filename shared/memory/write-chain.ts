// The chain that the writes of one memory key form: each names the checksum of the one before, so that a write that is missing
// or altered shows at the next one that is looked at.

import { dataHash, memoryRecordWritten, type MemoryRecordWritten } from '../events/index.ts'

/** What stands before the first write of a key. */
export const chainBegin = '0'.repeat(64)

/** Covers the tenant too: a write cannot be passed off as another tenant's. */
export function checksumOf(tenant: string, write: MemoryRecordWritten): string {
  const { checksum: _, ...said } = write
  return dataHash({ type: memoryRecordWritten.type, data: { tenant, ...said } }).toString('hex')
}

/** The key of a memory on its topic: memories of two tenants may have the same key. */
export const streamOf = (tenant: string, key: string): string => `${tenant}/${key}`
