// The HTTP request of an event: always binary mode, header values as Latin-1 bytes with `?` for what is above U+00FF,
// nothing percent-encoded. Control characters make it unsendable; folded lines go out and every HTTP/1.1 parser refuses
// them with 400, so they are answered here.

import { hashMapOrder, type DispatchedEvent } from './dispatched-event.ts'

export interface SinkRequest {
  readonly url: string
  /** In the order of the wire. */
  readonly headers: readonly (readonly [string, string])[]
  /** Null: no body and no content-length, as for a tombstone. */
  readonly body: Buffer | null
}

export type FormedRequest =
  | { readonly kind: 'request'; readonly request: SinkRequest }
  /** The HTTP client refuses to write it. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  /** It is written, and the parser of the receiver answers 400 by itself. */
  | { readonly kind: 'unparsable' }

export interface TraceHeaders {
  readonly traceparent: string
  readonly tracestate?: string
  readonly baggage?: string
}

export interface SinkRequestOptions {
  readonly url: string
  readonly namespace: string
  readonly trace?: TraceHeaders
}

export function formRequest(event: DispatchedEvent, { url, namespace, trace }: SinkRequestOptions): FormedRequest {
  const values = [...attributeHeaders(event), ...extensionHeaders(event)]
  for (const [name, value] of values) {
    const fault = headerFault(value)
    if (fault === 'folded') return { kind: 'unparsable' }
    if (fault === 'control') return { kind: 'unsendable', reason: `the value of ${name} holds a control character` }
  }
  const headers: (readonly [string, string])[] = [
    ['user-agent', 'Vert.x-WebClient/4.5.21'],
    ['Prefer', 'reply'],
    ['Kn-Namespace', namespace],
    ...values.map(([name, value]): readonly [string, string] => [name, latin1(value)]),
    ...(event.data === null ? [] : [['content-length', String(event.data.length)] as const]),
    ['host', URL.parse(url)?.host ?? ''],
    ...(trace === undefined ? [] : traceHeaders(trace)),
  ]
  return { kind: 'request', request: { url, headers, body: event.data } }
}

function attributeHeaders(event: DispatchedEvent): readonly (readonly [string, string])[] {
  const optional: readonly (readonly [string, string | undefined])[] = [
    ['content-type', event.datacontenttype],
    [event.specversion === '1.0' ? 'ce-dataschema' : 'ce-schemaurl', event.dataschema],
    ['ce-subject', event.subject],
    ['ce-time', event.time],
  ]
  return [
    ['ce-specversion', event.specversion],
    ['ce-id', event.id],
    ['ce-source', event.source],
    ['ce-type', event.type],
    ...optional.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  ]
}

const extensionHeaders = ({ extensions }: DispatchedEvent): readonly (readonly [string, string])[] =>
  hashMapOrder(extensions.keys()).map((name) => [`ce-${name}`, extensions.get(name) ?? ''] as const)

const traceHeaders = ({ traceparent, tracestate, baggage }: TraceHeaders): readonly (readonly [string, string])[] => [
  ['traceparent', traceparent],
  ...(tracestate === undefined ? [] : [['tracestate', latin1(tracestate)] as const]),
  ...(baggage === undefined ? [] : [['baggage', latin1(baggage)] as const]),
]

// A value with both a fold and a control character is refused before sending, so folds are taken out first.
function headerFault(value: string): 'control' | 'folded' | undefined {
  const unfolded = value.replace(/\r?\n[ \t]/g, '')
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(unfolded)) return 'control'
  return unfolded === value ? undefined : 'folded'
}

// One `?` per UTF-16 unit, so two for a surrogate pair, as HeadersMultiMap of Vert.x writes them.
const latin1 = (value: string): string => value.replace(/[^\u0000-\u00ff]/g, '?')
