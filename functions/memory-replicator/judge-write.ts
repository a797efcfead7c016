// Does a write continue the stream of its memory? A pure function of the write and of what the replica has.
//
//   its own checksum is wrong                            → mismatch: it was altered on the way
//   not newer than the newest, same as the one there     → repeat: nothing happens (one that was folded away counts as the same)
//   not newer than the newest, other than the one there  → mismatch: two writes claim one place
//   restated                                             → apply: a person accepted that writes are missing
//   not the next one                                     → gap
//   the next one, after another checksum                 → mismatch: what came before it is not what the replica has
//   the next one                                         → apply

import type { MemoryRecordWritten } from '../../shared/events/index.ts'
import { chainBegin, checksumOf } from '../../shared/memory/index.ts'

export interface StreamState {
  /** The newest write that the replica has of this memory. */
  readonly newest: { readonly sequence: number; readonly checksum: string } | undefined
  /** Checksum of the write that the replica has under the sequence of this one. */
  readonly same: string | undefined
}

export type Verdict =
  | { readonly kind: 'apply' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'gap' | 'mismatch'; readonly reason: string }

export function judgeWrite(tenant: string, write: MemoryRecordWritten, { newest, same }: StreamState): Verdict {
  const { sequence } = write
  if (checksumOf(tenant, write) !== write.checksum) {
    return { kind: 'mismatch', reason: `write ${sequence} does not fit its own checksum` }
  }
  const last = newest?.sequence ?? 0
  if (sequence <= last) {
    return same === undefined || same === write.checksum
      ? { kind: 'repeat' }
      : { kind: 'mismatch', reason: `another write ${sequence} was applied before` }
  }
  if (write.restated === true) return { kind: 'apply' }
  if (sequence > last + 1) return { kind: 'gap', reason: `write ${sequence} came when ${last + 1} was next` }
  return write.previous === (newest?.checksum ?? chainBegin)
    ? { kind: 'apply' }
    : { kind: 'mismatch', reason: `write ${sequence} does not follow what the replica has as ${last}` }
}
