// The event of a record that is a CloudEvent, structured or binary (KafkaMessageFactory and MessageUtils of the SDK for
// Java). Kafka header names are matched case-sensitively, structured wins over ce_ headers, other headers and the key are
// left out. `undefined`: not a CloudEvent that parses, so the record is handled as raw.

import type { SourceRecord } from '../record-log.ts'
import type { DispatchedEvent } from './dispatched-event.ts'
import { eventOfAttributes } from './event-attributes.ts'
import { objectMembers } from './json-text.ts'

export function cloudEventOf(record: SourceRecord): DispatchedEvent | undefined {
  const contentType = lastHeader(record, 'content-type')
  if (contentType?.split(';')[0]?.trim() === 'application/cloudevents+json') return structured(record.value)
  return lastHeader(record, 'ce_specversion') === undefined ? undefined : binary(record)
}

/** A CloudEvent with a null ce_ header makes the SDK throw where nobody converts the record any more: it is discarded. */
export const hasNullAttribute = (record: SourceRecord): boolean =>
  record.headers.some(([name, value]) => value === null && (name.startsWith('ce_') || name === 'content-type'))

function lastHeader({ headers }: SourceRecord, wanted: string): string | undefined {
  return headers.findLast(([name, value]) => name === wanted && value !== null)?.[1]?.toString('utf8')
}

function binary({ headers, value }: SourceRecord): DispatchedEvent | undefined {
  const attributes = new Map<string, string>()
  for (const [name, bytes] of headers) {
    if (name === 'content-type') attributes.set('datacontenttype', text(bytes))
    else if (name.startsWith('ce_')) attributes.set(name.slice(3).toLowerCase(), text(bytes))
  }
  return eventOfAttributes(attributes, value === null || value.length === 0 ? null : value)
}

const text = (bytes: Buffer | null): string => (bytes ?? Buffer.alloc(0)).toString('utf8')

function structured(value: Buffer | null): DispatchedEvent | undefined {
  const members = value === null ? undefined : objectMembers(value.toString('utf8'))
  if (members === undefined) return undefined
  const attributes = new Map<string, string>()
  for (const [name, json] of members) {
    if (name === 'data' || name === 'data_base64') continue
    const attribute = attributeText(json)
    if (attribute === undefined) return undefined
    attributes.set(name, attribute)
  }
  if (members.has('data') && !attributes.has('datacontenttype')) attributes.set('datacontenttype', 'application/json')
  const data = structuredData(members, attributes.get('datacontenttype') ?? 'application/json')
  return data === undefined ? undefined : eventOfAttributes(attributes, data)
}

/** Objects and arrays arrive as their JSON text; of numbers only 32-bit integers are attributes. */
function attributeText(json: string): string | undefined {
  if (json.startsWith('"')) return JSON.parse(json) as string
  if (/^-?\d/.test(json)) return /^-?\d{1,10}$/.test(json) && Number(json) === (Number(json) | 0) ? json : undefined
  return json
}

function structuredData(members: ReadonlyMap<string, string>, contentType: string): Buffer | null | undefined {
  const base64 = members.get('data_base64')
  if (base64 !== undefined) return Buffer.from(attributeText(base64) ?? '', 'base64')
  const json = members.get('data')
  if (json === undefined) return null
  if (/^(?:application|text)\/(?:[a-z]+\+)?json/i.test(contentType)) return Buffer.from(json)
  return json.startsWith('"') ? Buffer.from(JSON.parse(json) as string) : undefined
}
