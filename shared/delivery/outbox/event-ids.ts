// Ids of emitted events: UUIDs of version 7, rising within the process also within a millisecond, as `uuid` makes them by itself.
//
// Their random bits are fetched for many ids at once, since a call for each costs more than the id. What is given up: the bits of
// up to 256 coming ids are in memory. Ids are no secrets, and who can read the memory of the process has better to read.

import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { systemClock, type Clock } from '../../time/index.ts'

const bytesOfId = 16
const idsOfPool = 256

/** Makes a series of ids that rise. `now`: milliseconds since 1970; it may step back, the ids do not. */
export function createEventIds({ now }: Pick<Clock, 'now'>): () => string {
  const pool = new Uint8Array(idsOfPool * bytesOfId)
  const numbers = new DataView(pool.buffer)
  let used = pool.length
  let msecs = -Infinity
  let seq = 0

  return () => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const at = now()
    if (at > msecs) {
      msecs = at
      seq = numbers.getUint32(used + 6) >>> 1 // bytes of which the id takes nothing else; half of the range is left to count
    } else {
      seq = (seq + 1) | 0
      if (seq === 0) msecs += 1
    }
    const random = pool.subarray(used, used + bytesOfId)
    used += bytesOfId
    return uuidv7({ random, msecs, seq })
  }
}

/** One series for the process, as `uuid` has it. */
export const newEventId = createEventIds(systemClock)
