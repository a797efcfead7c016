// The leases that this process takes for what it emits, and the rows of them that wait in memory to be published.
//
//   offer ──▶ the transaction stores its events with the token ──▶ granted: which keys are ours ──COMMIT──▶ add ──▶ next
//
// L1  A row is published from memory only while its lease outlasts the longest append. The count begins before the lease does, so
//     it never outlives the database's.
// L2  Memory is bounded: above so many rows or characters that wait, and for a transaction that emits much, no token is offered,
//     and what is stored then is claimed and read back.
// L3  What a transaction emitted is handed out together: settling one of its rows ends the lease of the key for all.
// L4  One token serves all that is stored within a second, so that one statement settles many. The lease is far longer than that:
//     a key is leased by the same token again only after it was settled, unless a statement waited for its lock that long (C1 of
//     claim.ts says what then).

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../time/index.ts'
import type { OutboxKey, OutboxRow } from './claim.ts'
import type { Emission } from './emission.ts'

export interface Lease {
  readonly token: string
  /** In monotonic time: not published by the process afterwards. */
  readonly usableUntil: number
}

export interface LeasedRow extends OutboxRow {
  readonly lease: Lease
}

export interface Leases {
  /** For the events of one transaction. Undefined: they are stored without a lease. */
  offer(emitted: readonly Emission[]): Lease | undefined
  /** `sequences` of what is leased, in the order of the events; null for what is not. */
  granted(emitted: readonly Emission[], sequences: readonly (number | null)[], lease: Lease): void
  /** After COMMIT. Returns the keys of what is not leased. */
  add(emitted: readonly Emission[]): readonly OutboxKey[]
  /** The next rows to be published together; empty when none waits. */
  next(): readonly LeasedRow[]
}

export interface LeasesOptions {
  /** How long after its request a lease may be used. */
  readonly usableMs: number
}

const tokenMs = 1_000
/** Of one transaction; as a claim takes of one key. */
const mostOfTransaction = { rows: 100, characters: 131_072 }
const mostWaiting = { rows: 2_000, characters: 8_388_608 }
/** What is repeated when the process dies between append and settle. */
const mostTogether = { rows: 64, characters: 786_432 }

export function createLeases({ usableMs }: LeasesOptions, { clock }: { readonly clock: Clock }): Leases {
  const grants = new WeakMap<Emission, { readonly sequence: number; readonly lease: Lease }>()
  const waiting: (readonly LeasedRow[])[] = []
  let size: Size = none
  let token = { text: '', until: -Infinity }

  return {
    offer: (emitted) => {
      const more = sizeOf(emitted)
      if (exceeds(more, mostOfTransaction) || exceeds(sum(size, more), mostWaiting)) return undefined
      const now = clock.monotonic()
      if (now >= token.until) token = { text: randomUUID(), until: now + tokenMs }
      return { token: token.text, usableUntil: now + usableMs }
    },
    granted: (emitted, sequences, lease) => {
      for (const [index, emission] of emitted.entries()) {
        const sequence = sequences[index] ?? null
        if (sequence !== null) grants.set(emission, { sequence, lease })
      }
    },
    add: (emitted) => {
      const rows: LeasedRow[] = []
      const rest: OutboxKey[] = []
      for (const emission of emitted) {
        const grant = grants.get(emission)
        grants.delete(emission)
        if (grant === undefined) rest.push({ topic: emission.topic, key: emission.key })
        else rows.push({ ...emission, ...grant })
      }
      if (rows.length > 0) waiting.push(rows)
      size = sum(size, sizeOf(rows))
      return rest
    },
    next: () => {
      const taken: LeasedRow[] = []
      let together = none
      for (let [first] = waiting; first !== undefined; [first] = waiting) {
        together = sum(together, sizeOf(first))
        if (taken.length > 0 && exceeds(together, mostTogether)) break
        taken.push(...first)
        waiting.shift()
      }
      size = sum(size, sizeOf(taken), -1)
      return taken
    },
  }
}

interface Size {
  readonly rows: number
  readonly characters: number
}

const none: Size = { rows: 0, characters: 0 }

const sizeOf = (events: readonly { readonly json: string }[]): Size => ({
  rows: events.length,
  characters: events.reduce((total, { json }) => total + json.length, 0),
})

const sum = (one: Size, other: Size, sign = 1): Size => ({
  rows: one.rows + sign * other.rows,
  characters: one.characters + sign * other.characters,
})

const exceeds = (size: Size, most: Size): boolean => size.rows > most.rows || size.characters > most.characters
