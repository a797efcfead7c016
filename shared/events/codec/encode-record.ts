// An event to a record of the log: a binary-mode CloudEvent with the plain headers traceparent, tracestate, trace_id and
// span_id beside, for readers that know Kafka but not CloudEvents.

import { SluiceError } from '../../errors/index.ts'
import { parseTraceparent } from '../../telemetry/index.ts'
import type { CloudEvent } from '../cloud-event.ts'
import { attributesOf, createDraft, faultOf, setAttribute } from './attributes.ts'
import { encodeContent, mediaType } from './content.ts'
import type { EventRecord } from './record.ts'

export interface EncodedRecord extends EventRecord {
  readonly key: Buffer
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
  readonly value: Buffer
  /** The event's own time; absent when it has none. */
  readonly timestampMs?: number
}

/**
 * Data without a content type is written as `application/json`, bytes without one as `application/octet-stream`; no data is
 * an empty value, never null, which would delete the key on a compacted topic.
 * Throws `ce_invalid` for an event that a KafkaSource could not deliver: better here than dropped without a dead letter there.
 */
export const encodeRecord = (event: CloudEvent, { key }: { readonly key: string }): EncodedRecord =>
  recordWith(event, { key, attributes: deliverableAttributes(event), value: encodeContent(event) })

/** The same for an event that was found deliverable before, and whose data was written then: `event.data` is not looked at. */
export const encodeWritten = (
  event: CloudEvent,
  { key, value }: { readonly key: string; readonly value: Buffer },
): EncodedRecord => recordWith(event, { key, attributes: attributesOf(event), value })

type Attributes = Iterable<readonly [name: string, value: string]>

function recordWith(
  event: CloudEvent,
  { key, attributes, value }: { readonly key: string; readonly attributes: Attributes; readonly value: Buffer },
): EncodedRecord {
  const headers: [string, Buffer][] = []
  for (const [name, text] of attributes) headers.push([`ce_${name}`, Buffer.from(text)])
  const contentType = contentTypeOf(event)
  if (contentType !== undefined) headers.push(['content-type', Buffer.from(contentType)])
  headers.push(...traceHeaders(event.extensions))
  const record = { key: Buffer.from(key), headers, value }
  return event.time === undefined ? record : { ...record, timestampMs: Date.parse(event.time) }
}

/** @throws SluiceError `ce_invalid`, as `encodeRecord` would. */
export const refuseUndeliverable = (event: CloudEvent): void => void deliverableAttributes(event)

function deliverableAttributes(event: CloudEvent): readonly (readonly [name: string, value: string])[] {
  const attributes = [...attributesOf(event)]
  const draft = createDraft()
  for (const [name, value] of attributes) setAttribute(draft, name, value)
  const contentType = contentTypeOf(event)
  if (contentType !== undefined) setAttribute(draft, 'datacontenttype', contentType)
  const fault = isEnvelope(contentType) ? 'its content type is that of an envelope' : faultOf(draft)
  if (fault !== undefined)
    throw new SluiceError('ce_invalid', `event ${event.id} of ${event.type} cannot be published: ${fault}`)
  return attributes
}

// a reader would take the data for the event
const isEnvelope = (contentType = ''): boolean => mediaType(contentType).startsWith('application/cloudevents')

function contentTypeOf({ data, datacontenttype }: CloudEvent): string | undefined {
  if (datacontenttype !== undefined || data === undefined) return datacontenttype
  return data instanceof Uint8Array ? 'application/octet-stream' : 'application/json'
}

function traceHeaders({ traceparent, tracestate }: CloudEvent['extensions']): [string, Buffer][] {
  const trace = parseTraceparent(traceparent)
  if (trace === undefined || traceparent === undefined) return []
  const headers: [string, Buffer][] = [
    ['traceparent', Buffer.from(traceparent)],
    ['trace_id', Buffer.from(trace.traceId)],
    ['span_id', Buffer.from(trace.spanId)],
  ]
  if (tracestate !== undefined) headers.push(['tracestate', Buffer.from(tracestate)])
  return headers
}

/** Bytes of a record that count towards a topic's `maxEventBytes`. */
export function recordBytes({ key, headers, value }: EventRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, header] of headers) bytes += Buffer.byteLength(name) + (header?.length ?? 0)
  return bytes
}
