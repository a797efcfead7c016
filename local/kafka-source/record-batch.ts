// What a poll makes of its records before anything is sent (InvalidCloudEventInterceptor.java, RecordDispatcherImpl.java).
//
// B1  Partition after partition, in the order of the map that holds them.
// B2  A header with a null value makes the interceptor of raw records throw. Kafka's client then keeps the whole batch as it
//     was, so every raw record of that poll is discarded (K9).
// B3  A CloudEvent with such a header meets the tracer, which throws too: it alone is discarded.

import { hashMapOrder, topicPartitionHash } from './java/java-hash-map.ts'
import type { KafkaSourceSpec } from './kafka-source-spec.ts'
import type { SourceRecord } from './record-log.ts'
import { cloudEventOf, keyTypeLabel, rawRecordEvent, withExtensions, type DispatchedEvent } from './request/index.ts'

export type Prepared =
  | { readonly kind: 'event'; readonly record: SourceRecord; readonly event: DispatchedEvent }
  | { readonly kind: 'discarded'; readonly record: SourceRecord; readonly cause: string }

export function prepareBatch(records: readonly SourceRecord[], source: KafkaSourceSpec): readonly Prepared[] {
  const parsed = byPartition(records).map((record) => ({ record, event: cloudEventOf(record) }))
  const spoilt = parsed.some(({ record, event }) => event === undefined && hasNullHeader(record))
  return parsed.map(({ record, event }): Prepared => {
    if (event === undefined && spoilt)
      return { kind: 'discarded', record, cause: 'a raw record of the same poll has a header with a null value' }
    if (event !== undefined && hasNullHeader(record))
      return { kind: 'discarded', record, cause: 'a header has a null value' }
    return { kind: 'event', record, event: overridden(event ?? rawEvent(record, source), record, source) }
  })
}

function byPartition(records: readonly SourceRecord[]): readonly SourceRecord[] {
  const partitions = Map.groupBy(records, ({ topic, partition }) => `${partition} ${topic}`)
  const order = hashMapOrder(partitions.values(), {
    hash: ([first]) => (first === undefined ? 0 : topicPartitionHash(first.topic, first.partition)),
    capacity: records.length,
  })
  return order.flat()
}

const hasNullHeader = ({ headers }: SourceRecord): boolean => headers.some(([, value]) => value === null)

const rawEvent = (record: SourceRecord, { metadata }: KafkaSourceSpec): DispatchedEvent =>
  rawRecordEvent(record, {
    namespace: metadata.namespace,
    sourceName: metadata.name,
    keyType: metadata.labels?.[keyTypeLabel],
  })

/** CloudEventOverridesMutator.java: the two facts about the record first, so that ceOverrides may overwrite even those. */
const overridden = (
  event: DispatchedEvent,
  { partition, offset }: SourceRecord,
  { spec }: KafkaSourceSpec,
): DispatchedEvent =>
  withExtensions(event, [
    ['knativekafkapartition', String(partition)],
    ['knativekafkaoffset', String(offset)],
    ...Object.entries(spec.ceOverrides?.extensions ?? {}),
  ])
