// A record of the log to an event, by the rules with which a KafkaSource decides (knative-extensions/eventing-kafka-broker,
// cloudevents/sdk-java): names match case by case, structured before binary, the last of two equal headers counts.

import { isUtf8 } from 'node:buffer'
import { createDraft, setAttribute, type Draft } from './attributes.ts'
import { decodeContent, mediaType } from './content.ts'
import { complete, originOf, type Decoded, type Transport } from './decoded.ts'
import { decodeEnvelope } from './json-format.ts'
import type { EventRecord } from './record.ts'

/** `not_cloudevent` for a raw record: what it may be taken for is known only to who consumes it. */
export function decodeRecord(record: EventRecord): Decoded {
  const { topic, partition, offset, key } = record
  const headers = lastByName(record.headers)
  const traceparent = textOf(headers.get('traceparent'))
  const transport: Transport = {
    topic,
    partition,
    offset,
    traceparent,
    tracestate: textOf(headers.get('tracestate')),
    key: key === null ? undefined : key.toString('utf8'),
  }
  const contentType = textOf(headers.get('content-type'))
  if (contentType !== undefined && record.value !== null && isEnvelope(contentType))
    return decodeEnvelope(record.value, transport)
  const draft = readHeaders(headers)
  if (contentType !== undefined && contentType !== '') draft.datacontenttype = contentType
  const origin = originOf(draft, transport)
  if (!headers.has('ce_specversion'))
    return { ok: false, code: 'not_cloudevent', message: 'no ce_specversion header', ...origin }
  return complete(draft, {
    mode: 'binary',
    origin,
    content: decodeContent(draft.datacontenttype, record.value ?? Buffer.alloc(0)),
  })
}

const isEnvelope = (contentType: string): boolean =>
  contentType.startsWith('application/cloudevents+json') && mediaType(contentType) === 'application/cloudevents+json'

const lastByName = (headers: EventRecord['headers']): ReadonlyMap<string, Buffer | null> => new Map(headers)

const textOf = (value: Buffer | null | undefined): string | undefined =>
  value === null || value === undefined || !isUtf8(value) ? undefined : value.toString('utf8')

function readHeaders(headers: ReadonlyMap<string, Buffer | null>): Draft {
  const draft = createDraft()
  for (const [name, value] of headers) {
    if (!name.startsWith('ce_')) continue
    const text = textOf(value)
    if (text === undefined) draft.fault ??= 'a ce_ header is null or not UTF-8'
    else setAttribute(draft, name.slice(3).toLowerCase(), text)
  }
  return draft
}
