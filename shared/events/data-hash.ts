// What an event says, in 32 bytes: equal for equal data however it was written, so that a repeat can be told from another
// event that took the same id. KafkaSource rewrites the JSON of structured events (white space, `1.00` → `1.0`).

import { createHash } from 'node:crypto'
import type { CloudEvent } from './cloud-event.ts'

/** SHA-256 over the type and the data: JSON with sorted keys, bytes as they are. Attributes do not count. */
export function dataHash({ type, data }: Pick<CloudEvent, 'type' | 'data'>): Buffer {
  const hash = createHash('sha256').update(type)
  if (data === undefined) return hash.update('\0none').digest()
  if (data instanceof Uint8Array) return hash.update('\0bytes').update(data).digest()
  return hash.update('\0json').update(canonicalJson(data)).digest()
}

/** JSON with the keys of every object in code-unit order and no white space. Members that are undefined are left out. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = value as Record<string, unknown>
  const keys = Object.keys(members).filter((key) => members[key] !== undefined)
  return `{${keys
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(members[key])}`)
    .join(',')}}`
}
