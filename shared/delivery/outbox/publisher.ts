// Publishes claimed rows and settles the claim. A crash between the two repeats records in the log, which inboxes absorb; it
// never loses or reorders any.

import { SluiceError } from '../../errors/index.ts'
import type { EventLog } from '../../event-log/index.ts'
import { encodeRecord, fromJsonFormat, type CloudEvent } from '../../events/index.ts'
import type { Database } from '../../database/index.ts'
import type { Failpoints } from '../../lifecycle/index.ts'
import { backoffDelay } from '../../time/index.ts'
import { noTracer, type Tracer } from '../../telemetry/index.ts'
import { failpoint } from '../failpoints.ts'
import { claimOutbox, settleOutbox, type OutboxClaim, type OutboxKey, type OutboxRow, type SentRow } from './claim.ts'
import { startSendSpans } from './send-spans.ts'

export interface PublisherDeps {
  readonly database: Database
  readonly eventLog: EventLog
  readonly failpoints: Failpoints
  readonly random: () => number
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

export interface Published {
  readonly rows: number
  /** Keys that got more rows meanwhile. */
  readonly more: readonly OutboxKey[]
}

export interface Publisher {
  /**
   * Claims (of the given keys, or of any), publishes, settles.
   * @throws what the log or the database threw. Rows that were not published are free again after a back-off.
   */
  publishOnce(keys?: readonly OutboxKey[]): Promise<Published>
}

/** The lease outlives the append by this long, in milliseconds: an append that is not over by then is given up. */
const appendTimeoutMs = 10_000
/** Bytes of one append; Kafka takes about 1 MiB per partition and batch. */
const appendBytes = 786_432
const backoff = { firstMs: 200, maxMs: 5_000 }

export function createPublisher(deps: PublisherDeps): Publisher {
  const { database, eventLog, failpoints, random, tracer = noTracer } = deps
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

  async function publish(claim: OutboxClaim): Promise<Published> {
    const sent: SentRow[] = []
    try {
      await append(claim.rows, sent)
    } catch (error) {
      failures += 1
      const delayMs = 1 + backoffDelay(backoff, failures, random)
      await settleOutbox(database, claim, { sent, delayMs }).catch(() => undefined) // the lease runs out instead
      throw error
    }
    failures = 0
    failpoints(failpoint.outboxAfterPublish)
    return { rows: sent.length, more: await settleOutbox(database, claim, { sent, delayMs: 0 }) }
  }

  return {
    publishOnce: async (keys) => {
      const claim = await claimOutbox(database, keys)
      return claim === undefined ? { rows: 0, more: [] } : publish(claim)
    },
  }
}

/** Rows in order, cut so that each part is one batch that the log takes. */
function* parts(rows: readonly OutboxRow[]): Generator<readonly OutboxRow[]> {
  let part: OutboxRow[] = []
  let bytes = 0
  for (const row of rows) {
    const size = Buffer.byteLength(row.event)
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

/** Digits of `sequence`, which the CloudEvents extension wants ordered as text. */
const sequenceDigits = 16

function recordOf({ topic, key, sequence, event: json }: OutboxRow) {
  const decoded = fromJsonFormat(JSON.parse(json))
  if (!decoded.ok)
    throw new SluiceError('internal', `Outbox row ${sequence} of a key of ${topic} is no event: ${decoded.message}`)
  const { event } = decoded
  const extensions = { ...event.extensions, sequence: String(sequence).padStart(sequenceDigits, '0') }
  const numbered: CloudEvent = { ...event, extensions }
  return { topic, ...encodeRecord(numbered, { key }) }
}
