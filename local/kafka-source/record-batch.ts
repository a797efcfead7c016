// What a poll makes of its records before anything is sent.
//
// A header with a null value makes the interceptor of raw records throw; Kafka's client then keeps the whole batch
// unconverted, and every raw record of that poll is discarded (fixture delivery-null-header-in-batch). Unordered, all
// requests of a poll run in one tracing context, so they carry the trace of its last record (knative.md, issue 3913 of
// eventing-kafka-broker); the record's own traceparent is in the event and is right.

import { parseTraceparent } from '../../shared/telemetry/index.ts'
import type { Delivery, RecordTrace } from './deliver-record.ts'
import type { KafkaSourceSpec } from './kafka-source-spec.ts'
import type { SourceRecord } from './record-log.ts'
import {
  cloudEventOf,
  hasNullAttribute,
  keyTypeLabel,
  rawRecordEvent,
  withExtensions,
  type DispatchedEvent,
} from './request/index.ts'

export type Prepared =
  | { readonly kind: 'delivery'; readonly record: SourceRecord; readonly delivery: Delivery }
  | { readonly kind: 'discarded'; readonly record: SourceRecord; readonly cause: string }

export function prepareBatch(records: readonly SourceRecord[], source: KafkaSourceSpec): readonly Prepared[] {
  const events = records.map((record) => ({ record, event: cloudEventOf(record) }))
  const spoilt = events.some(({ record, event }) => event === undefined && hasNullHeader(record))
  const shared = source.spec.ordering === 'unordered' ? traceOf(records.at(-1)) : undefined
  return events.map(({ record, event }): Prepared => {
    if (event === undefined && spoilt)
      return { kind: 'discarded', record, cause: 'a raw record of the same poll has a header with a null value' }
    if (event !== undefined && hasNullAttribute(record))
      return { kind: 'discarded', record, cause: 'an attribute has a null value' }
    const trace = shared ?? traceOf(record)
    const dispatched = overridden(event ?? rawEvent(record, source), record, source)
    return { kind: 'delivery', record, delivery: { event: dispatched, ...(trace === undefined ? {} : { trace }) } }
  })
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

function traceOf(record: SourceRecord | undefined): RecordTrace | undefined {
  const context = parseTraceparent(headerText(record, 'traceparent'))
  if (context === undefined) return undefined
  const tracestate = headerText(record, 'tracestate')
  const baggage = headerText(record, 'baggage')
  return { context, ...(tracestate === undefined ? {} : { tracestate }), ...(baggage === undefined ? {} : { baggage }) }
}

const headerText = (record: SourceRecord | undefined, wanted: string): string | undefined =>
  record?.headers.find(([name, value]) => value !== null && name.toLowerCase() === wanted)?.[1]?.toString('utf8')
