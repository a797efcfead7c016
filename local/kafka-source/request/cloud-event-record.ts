// The event of a record that is a CloudEvent (KafkaMessageFactory and MessageUtils of the SDK for Java). Kafka header names
// are matched case by case, structured wins over ce_ headers, other headers and the key are left out. `undefined`: not a
// CloudEvent that parses, so the record is handled as raw.

import { javaText } from '../java/java-text.ts'
import type { SourceRecord } from '../record-log.ts'
import type { DispatchedEvent } from './dispatched-event.ts'
import { buildEvent, isSpecVersion, type SpecVersion } from './event-attributes.ts'
import { structuredEvent } from './structured-event.ts'

const envelope = 'application/cloudevents+json'
const prefix = 'ce_'

export function cloudEventOf(record: SourceRecord): DispatchedEvent | undefined {
  const contentType = lastHeader(record, 'content-type')
  if (contentType === null) return undefined
  if (contentType?.split(';', 1)[0] === envelope) return structuredEvent(record.value)
  const specversion = lastHeader(record, 'ce_specversion') ?? undefined
  return isSpecVersion(specversion) ? binaryEvent(record, specversion) : undefined
}

/** Null: the header is there and its value is null, which the SDK does not survive. */
function lastHeader({ headers }: SourceRecord, wanted: string): string | null | undefined {
  const value = headers.findLast(([name]) => name === wanted)?.[1]
  return value === undefined || value === null ? value : javaText(value)
}

function binaryEvent({ headers, value }: SourceRecord, specversion: SpecVersion): DispatchedEvent | undefined {
  const values = new Map<string, string>()
  for (const [name, bytes] of headers) {
    const attribute = attributeOf(name)
    if (bytes !== null && attribute !== undefined) values.set(attribute, javaText(bytes))
  }
  return buildEvent({ specversion, values, data: value === null || value.length === 0 ? null : value })
}

function attributeOf(header: string): string | undefined {
  if (header === 'content-type') return 'datacontenttype'
  if (!header.startsWith(prefix) || header.length === prefix.length) return undefined
  const name = header.slice(prefix.length).toLowerCase()
  return name === 'specversion' ? undefined : name
}
