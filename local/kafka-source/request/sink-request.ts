// The HTTP request of an event: always binary mode, header values as Latin-1 bytes with `?` for what is above U+00FF, nothing
// percent-encoded. Control characters make it unsendable. A folded value passes the check of the HTTP client and is sent;
// every HTTP/1.1 parser refuses it.

import { inMapOrder, type DispatchedEvent } from './dispatched-event.ts'

export interface SinkRequest {
  readonly method: 'POST' | 'GET'
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

export interface SinkRequestOptions {
  readonly url: string
  readonly namespace: string
  /** traceparent, tracestate, baggage. */
  readonly trace: readonly (readonly [string, string])[]
}

export function formRequest(event: DispatchedEvent, { url, namespace, trace }: SinkRequestOptions): FormedRequest {
  const values = [...attributeHeaders(event), ...extensionHeaders(event)]
  const refused = values.find(([, value]) => hasControlCharacter(value))
  if (refused !== undefined) {
    return { kind: 'unsendable', reason: `the value of ${refused[0]} holds a control character` }
  }
  const headers: (readonly [string, string])[] = [
    ['user-agent', 'Vert.x-WebClient/4.5.21'],
    ['Prefer', 'reply'],
    ['Kn-Namespace', namespace],
    ...values.map(([name, value]): readonly [string, string] => [name, latin1(value)]),
    ...(event.data === null ? [] : [['content-length', String(event.data.length)] as const]),
    ['host', URL.parse(url)?.host ?? ''],
    ...trace.map(([name, value]): readonly [string, string] => [name, latin1(value)]),
  ]
  return { kind: 'request', request: { method: 'POST', url, headers, body: event.data } }
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

/** An extension that has the name of an attribute is written beside it, under the same header. */
const extensionHeaders = ({ extensions }: DispatchedEvent): readonly (readonly [string, string])[] =>
  inMapOrder(extensions).map(([name, value]) => [name === 'datacontenttype' ? 'content-type' : `ce-${name}`, value])

const fold = /\r?\n[ \t]/g

/** HttpUtils.validateHeaderValue of Vert.x: a line break passes only in front of a space or tab. */
const hasControlCharacter = (value: string): boolean => /[\x00-\x08\x0a-\x1f\x7f]/.test(value.replace(fold, ''))

/** Whether the parser of every receiver answers 400 before a handler sees anything. */
export const isFolded = ({ headers }: SinkRequest): boolean => headers.some(([, value]) => value.search(fold) >= 0)

/** One `?` per UTF-16 unit, so two for a surrogate pair, as HeadersMultiMap of Vert.x writes them. */
const latin1 = (value: string): string => value.replace(/[^\u0000-\u00ff]/g, '?')
