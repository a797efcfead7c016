// An event to an HTTP request: binary when headers and body carry it without loss, structured otherwise. So nothing has to be
// percent-encoded, which half of all receivers would not decode, and the reader finds the same event.

import { rawType, type CloudEvent } from '../cloud-event.ts'
import { attributesOf } from './attributes.ts'
import { encodeContent, keepsContent, mediaType } from './content.ts'
import { toJsonFormat } from './json-format.ts'

export interface HttpEventMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** `traceparent` goes along as a header of its own too, so that whatever stands between can join the trace. */
export function encodeHttpEvent(event: CloudEvent): HttpEventMessage {
  const { traceparent } = event.extensions
  const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent }
  if (!isBinary(event)) {
    headers['content-type'] = 'application/cloudevents+json; charset=utf-8'
    return { headers, body: Buffer.from(JSON.stringify(toJsonFormat(event))) }
  }
  if (event.datacontenttype !== undefined) headers['content-type'] = event.datacontenttype
  for (const [name, value] of attributesOf(event)) headers[`ce-${name}`] = value
  return { headers, body: encodeContent(event) }
}

function isBinary(event: CloudEvent): boolean {
  const { datacontenttype = 'none', type } = event
  if (!keepsContent(event) || !isPlain(datacontenttype)) return false
  // a reader would take these for an envelope and for a raw record
  if (mediaType(datacontenttype).startsWith('application/cloudevents') || type === rawType) return false
  for (const [, value] of attributesOf(event)) if (!isPlain(value)) return false
  return true
}

// Printable ASCII without `%` and without spaces at the ends, which HTTP drops
const isPlain = (value: string): boolean => /^(?:[!-$&-~](?:[ -$&-~]*[!-$&-~])?)?$/.test(value)
