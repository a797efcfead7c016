// Reads the events of a topic out of the log. Partition after partition, so the order holds within a key and not beyond.

import { decodeRecord, type CloudEvent } from '../../shared/events/index.ts'
import type { EventLog, LogRecord } from '../../shared/event-log/index.ts'

export interface RecordOptions {
  readonly topic: string
  /** `earliest`: what the log holds now. `latest`: what comes from now on, until the signal or the limit. */
  readonly from: 'earliest' | 'latest'
  readonly limit: number
}

export type Recorded =
  | { readonly kind: 'event'; readonly event: CloudEvent }
  | { readonly kind: 'skipped'; readonly partition: number; readonly offset: number; readonly reason: string }

type Source = Pick<EventLog, 'partitions' | 'bounds' | 'read'>

const batch = 100
const waitMs = 500

export async function* recordEvents(
  options: RecordOptions,
  log: Source,
  signal: AbortSignal,
): AsyncGenerator<Recorded> {
  let left = options.limit
  const records =
    options.from === 'earliest' ? storedRecords(options.topic, log, signal) : comingRecords(options.topic, log, signal)
  for await (const record of records) {
    const recorded = recordedOf(record)
    yield recorded
    if (recorded.kind === 'event') left -= 1
    if (left <= 0) return
  }
}

function recordedOf(record: LogRecord): Recorded {
  const decoded = decodeRecord(record)
  if (!decoded.ok)
    return { kind: 'skipped', partition: record.partition, offset: record.offset, reason: decoded.message }
  // A KafkaSource adds the topic; a replayed event has to bring it along.
  const { event } = decoded
  return { kind: 'event', event: { ...event, extensions: { ...event.extensions, sluicetopic: record.topic } } }
}

async function* storedRecords(topic: string, log: Source, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const partitions = await log.partitions(topic)
  for (let partition = 0; partition < partitions; partition += 1) {
    const { earliest, next } = await log.bounds(topic, partition)
    let offset = earliest
    while (offset < next) {
      const records = await log.read({ topic, partition, offset, maxRecords: batch, maxWaitMs: 0 }, signal)
      for (const record of records) if (record.offset < next) yield record
      offset = (records.at(-1)?.offset ?? next) + 1
    }
  }
}

async function* comingRecords(topic: string, log: Source, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const partitions = await log.partitions(topic)
  const offsets: number[] = []
  for (let partition = 0; partition < partitions; partition += 1)
    offsets.push((await log.bounds(topic, partition)).next)
  while (!signal.aborted) {
    const batches = await Promise.all(
      offsets.map((offset, partition) =>
        log.read({ topic, partition, offset, maxRecords: batch, maxWaitMs: waitMs }, signal),
      ),
    ).catch((error: unknown) => {
      if (signal.aborted) return []
      throw error
    })
    for (const [partition, records] of batches.entries()) {
      offsets[partition] = (records.at(-1)?.offset ?? (offsets[partition] ?? 0) - 1) + 1
      yield* records
    }
  }
}
