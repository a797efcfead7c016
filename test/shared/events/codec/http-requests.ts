// Requests for the codec's tests, as Node's server would hand them over.

import assert from 'node:assert/strict'
import { decodeHttpEvent, type DecodedEvent, type HttpEventRequest } from '../../../../shared/events/index.ts'

type Headers = Record<string, string>

/** A binary-mode event; `changed` overwrites headers, undefined removes them. */
export function headersOf(changed: Readonly<Record<string, string | undefined>> = {}, body = '{}'): HttpEventRequest {
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'ce-specversion': '1.0',
    'ce-id': 'e-1',
    'ce-source': '/s',
    'ce-type': 't.v1',
    ...changed,
  }
  return { headers, body: Buffer.from(body) }
}

export const structured = (envelope: unknown, headers: Headers = {}): HttpEventRequest => ({
  headers: { 'content-type': 'application/cloudevents+json', ...headers },
  body: Buffer.from(typeof envelope === 'string' ? envelope : JSON.stringify(envelope)),
})

export function decodeHttp(request: HttpEventRequest): DecodedEvent {
  const decoded = decodeHttpEvent(request, { bind: () => undefined })
  assert.ok(decoded.ok, decoded.ok ? '' : `${decoded.code}: ${decoded.message}`)
  return decoded
}
