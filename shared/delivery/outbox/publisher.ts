// Publishes rows whose keys this process holds, and settles them. A crash between the two repeats records in the log, which
// inboxes absorb; it never loses or reorders any.

import { SluiceError } from '../../errors/index.ts'
import type { EventLog } from '../../event-log/index.ts'
import type { Database } from '../../database/index.ts'
import type { Failpoints } from '../../lifecycle/index.ts'
import { backoffDelay, type Clock } from '../../time/index.ts'
import { noTracer, type Tracer } from '../../telemetry/index.ts'
import { failpoint } from '../failpoints.ts'
import {
  claimOutbox,
  distinctKeys,
  outboxLeaseMs,
  settleOutbox,
  type OutboxClaim,
  type OutboxKey,
  type OutboxRow,
  type SentRow,
} from './claim.ts'
import type { LeasedRow } from './leases.ts'
import { recordOf } from './outbox-record.ts'
import { startSendSpans } from './send-spans.ts'

export interface PublisherDeps {
  readonly database: Database
  readonly eventLog: EventLog
  readonly clock: Clock
  readonly failpoints: Failpoints
  readonly random: () => number
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

export interface Published {
  readonly rows: number
  /** Keys that have more rows, which are free now. */
  readonly more: readonly OutboxKey[]
}

/** Each throws what the log or the database threw. Rows that were not published are free again after a back-off. */
export interface Publisher {
  /** Claims (of the given keys, or of any), publishes, settles. */
  publishClaimed(keys?: readonly OutboxKey[]): Promise<Published>
  /** Publishes what is leased, and settles. Rows that waited too long are left to a claim. */
  publishLeased(rows: readonly LeasedRow[]): Promise<Published>
  /** Leaves what is leased to a claim. */
  giveBack(rows: readonly LeasedRow[]): Promise<void>
}

/** The lease outlives the append: one that is not over by then, in milliseconds, is given up. */
const appendTimeoutMs = 10_000
/** How long a lease may be used to begin an append. A second is left for what is slow in between. */
export const leaseUsableMs = outboxLeaseMs - appendTimeoutMs - 1_000
/** Bytes of one append; Kafka takes about 1 MiB per partition and batch. */
const appendBytes = 786_432
const backoff = { firstMs: 200, maxMs: 5_000 }

export function createPublisher(deps: PublisherDeps): Publisher {
  const { database, eventLog, clock, failpoints, random, tracer = noTracer } = deps
  let failures = 0

  async function append(rows: readonly OutboxRow[], sent: SentRow[]): Promise<void> {
    const signal = AbortSignal.timeout(appendTimeoutMs)
    for (const part of parts(rows)) {
      const records = part.map(recordOf)
      const spans = startSendSpans(tracer, records)
      const places = await eventLog.append(records, { signal }).catch((error: unknown) => {
        spans.failed(error)
        throw error
      })
      spans.sent(places)
      for (const [index, row] of part.entries()) {
        const place = places[index]
        if (place === undefined) throw new SluiceError('internal', 'The log named fewer places than it got records')
        sent.push({ ...row, ...place })
      }
    }
  }

  async function publish(claims: readonly OutboxClaim[]): Promise<Published> {
    const rows = claims.flatMap((claim) => claim.rows)
    const sent: SentRow[] = []
    try {
      await append(rows, sent)
    } catch (error) {
      failures += 1
      const delayMs = 1 + backoffDelay(backoff, failures, random)
      await settle(claims, { sent, delayMs }).catch(() => undefined) // the leases run out instead
      throw error
    }
    failures = 0
    failpoints(failpoint.outboxAfterPublish)
    return { rows: sent.length, more: await settle(claims, { sent, delayMs: 0 }) }
  }

  /** `sent`: the first of the claims' rows. */
  async function settle(
    claims: readonly OutboxClaim[],
    { sent, delayMs }: { readonly sent: readonly SentRow[]; readonly delayMs: number },
  ): Promise<readonly OutboxKey[]> {
    const more: OutboxKey[] = []
    let from = 0
    for (const claim of claims) {
      const ofClaim = sent.slice(from, from + claim.rows.length)
      from += claim.rows.length
      more.push(...(await settleOutbox(database, claim, { sent: ofClaim, delayMs })))
    }
    return more
  }

  return {
    publishClaimed: async (keys) => {
      const claim = await claimOutbox(database, keys)
      return claim === undefined ? { rows: 0, more: [] } : publish([claim])
    },
    publishLeased: (rows) => {
      const now = clock.monotonic()
      return publish(claimsOf(rows, ({ lease }) => now < lease.usableUntil))
    },
    giveBack: async (rows) => {
      await settle(
        claimsOf(rows, () => false),
        { sent: [], delayMs: 0 },
      )
    },
  }
}

/** What is leased as claims, of which only some rows are to be published. */
const claimsOf = (rows: readonly LeasedRow[], isWanted: (row: LeasedRow) => boolean): readonly OutboxClaim[] =>
  [...Map.groupBy(rows, ({ lease }) => lease.token)].map(([token, held]) => ({
    token,
    keys: distinctKeys(held),
    rows: held.filter(isWanted),
  }))

/** Rows in order, cut so that each part is one batch that the log takes. */
function* parts(rows: readonly OutboxRow[]): Generator<readonly OutboxRow[]> {
  let part: OutboxRow[] = []
  let bytes = 0
  for (const row of rows) {
    const size = Buffer.byteLength(row.json)
    if (part.length > 0 && bytes + size > appendBytes) {
      yield part
      part = []
      bytes = 0
    }
    part.push(row)
    bytes += size
  }
  if (part.length > 0) yield part
}
