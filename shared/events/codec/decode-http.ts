// An HTTP request to an event. On the hot path of every delivery, so written out by hand; the cloudevents SDK is the oracle
// in the tests, not a dependency (it costs 17 µs an event).
//
// Which mode, in this order:
//   ce-type is dev.knative.kafka.event (with ce-specversion)  → raw: a record that was no CloudEvent. First, because such a
//       request may carry the record's own content type `application/cloudevents+json` (a broken or misspelled envelope).
//   content-type application/cloudevents+json                 → structured; ce-* headers beside it are ignored
//   content-type application/cloudevents…                     → 415: batches and other formats
//   ce-* headers                                              → binary
//   none of these                                             → not a CloudEvent
//
// Header values are taken as they are, not percent-decoded: a KafkaSource and the JavaScript and Java SDKs do not encode, so
// decoding would change a literal `%41`. Only a `%` without two hex digits, which the HTTP binding (§3.1.3.2) forbids, is
// refused, unless the request came through a KafkaSource (header Kn-Namespace), where `100%` is just text. What headers
// cannot carry, encodeHttpEvent sends structured. Bytes beyond ASCII are Latin-1, as Node gives them and KafkaSource writes.

import { rawType } from '../cloud-event.ts'
import { createDraft, setAttribute, type Draft } from './attributes.ts'
import type { EventType } from '../event-type.ts'
import { contentKind, decodeContent, decodeJson, mediaType, type Content } from './content.ts'
import { complete, faultWith, originOf, type Decoded, type Transport } from './decoded.ts'
import { distinguishId, positionOf, rawId } from './identity.ts'
import { decodeEnvelope } from './json-format.ts'

export interface HttpEventRequest {
  /** As Node gives them: lower-case names, Latin-1 text. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** What a raw record on a topic is taken for: a type with a schema, or any data. Undefined: raw records are refused. */
export type Binding = EventType | 'any' | undefined

export interface DecodeOptions {
  readonly bind: (topic: string) => Binding
}

export function decodeHttpEvent(request: HttpEventRequest, { bind }: DecodeOptions): Decoded {
  const { headers, body } = request
  if (headers['ce-type'] === rawType && headers['ce-specversion'] !== undefined) return decodeRaw(request, bind)
  const contentType = textOf(headers['content-type'])
  const transport = transportOf(headers)
  if (contentType !== undefined && isCloudEventsType(contentType)) {
    const isEnvelope = mediaType(contentType) === 'application/cloudevents+json' && contentKind(contentType) === 'json'
    if (isEnvelope) return decodeEnvelope(body, transport)
    const message = 'only application/cloudevents+json in UTF-8; no batches, no other formats'
    return { ok: false, code: 'unsupported_media_type', message, ...originOf(createDraft(), transport) }
  }
  const draft = readHeaders(headers)
  const origin = originOf(draft, transport)
  if (draft.length === 0)
    return { ok: false, code: 'not_cloudevent', message: 'no ce-* headers and no CloudEvents content type', ...origin }
  distinguishId(draft, origin)
  return complete(draft, { mode: 'binary', origin, content: decodeContent(draft.datacontenttype, body) })
}

// Bound to a type, the record must be JSON that fits its schema, whatever its producer called it; anything else on that topic
// is not one of its events.
function decodeRaw(request: HttpEventRequest, bind: DecodeOptions['bind']): Decoded {
  const draft = readHeaders(request.headers)
  const origin = originOf(draft, { ...positionOf(draft.id), ...transportOf(request.headers) })
  draft.id = rawId(origin, draft.id)
  const binding = origin.topic === undefined ? undefined : bind(origin.topic)
  const refuse = (message: string): Decoded => faultWith(draft, origin, { code: 'not_cloudevent', message })
  if (binding === undefined) return refuse('a record that is no CloudEvent, on a topic that no one type is bound to')
  if (binding === 'any')
    return complete(draft, { mode: 'raw', origin, content: rawContent(request, draft.datacontenttype) })
  const content = decodeJson(request.body)
  if (!content.ok) return refuse(`a record for ${binding.type}: ${content.message}`)
  if (!binding.validate(content.data)) return refuse(`a record for ${binding.type}: ${binding.explain(content.data)}`)
  draft.type = binding.type
  draft.datacontenttype = 'application/json'
  return complete(draft, { mode: 'raw', origin, content })
}

// A tombstone comes without content-length, an empty value with content-length 0: the only difference between them.
function rawContent({ headers, body }: HttpEventRequest, contentType: string | undefined): Content {
  const isEmptyValue = body.length === 0 && headers['content-length'] !== undefined
  if (!isEmptyValue) return decodeContent(contentType, body)
  return { ok: true, data: contentKind(contentType) === 'text' ? '' : body }
}

const isCloudEventsType = (contentType: string): boolean => /^\s*application\/cloudevents/i.test(contentType)

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

const transportOf = (headers: HttpEventRequest['headers']): Transport => ({
  traceparent: textOf(headers['traceparent']),
  tracestate: textOf(headers['tracestate']),
})

// The names of nearly every request: looking one up is cheaper than cutting and hashing it anew.
const usualNames =
  'specversion id source type subject time dataschema tenant sessionid partitionkey key sequence traceparent tracestate ' +
  'configversion sluicetopic knativekafkapartition knativekafkaoffset'
const attributeOf: ReadonlyMap<string, string> = new Map(usualNames.split(' ').map((name) => [`ce-${name}`, name]))

function readHeaders(headers: HttpEventRequest['headers']): Draft {
  const draft = createDraft()
  const isEncoded = headers['kn-namespace'] === undefined
  for (const name in headers) {
    if (!name.startsWith('ce-')) continue
    const value = headers[name]
    if (typeof value !== 'string') continue
    if (isEncoded && value.includes('%') && /%(?![0-9a-f]{2})/i.test(value))
      draft.fault ??= 'an attribute holds % without two hex digits'
    setAttribute(draft, attributeOf.get(name) ?? name.slice(3), value)
  }
  const contentType = textOf(headers['content-type'])
  if (contentType !== undefined && contentType !== '') draft.datacontenttype = contentType
  return draft
}
