// The JSON format of CloudEvents (cloudevents/formats/json-format.md): how events are stored, and sent in structured mode.
//
// F1  fromJsonFormat(toJsonFormat(event)) is the event again, also after JSON and after jsonb.
// F2  Extension values that are integers or booleans become their canonical text; null is absence; others are refused.

import type { CloudEvent } from '../cloud-event.ts'
import { parseJson } from '../json/parse-json.ts'
import { attributesOf, createDraft, setAttribute, type Draft } from './attributes.ts'
import { contentKind, decodeContent, type Content } from './content.ts'
import { complete, originOf, type Decoded, type Transport } from './decoded.ts'
import { distinguishId } from './identity.ts'

/** A plain object that JSON.stringify takes. Bytes become `data_base64`. */
export function toJsonFormat(event: CloudEvent): Record<string, unknown> {
  const { data, datacontenttype } = event
  const envelope: Record<string, unknown> = Object.fromEntries(attributesOf(event))
  if (datacontenttype !== undefined) envelope['datacontenttype'] = datacontenttype
  if (data instanceof Uint8Array) envelope['data_base64'] = Buffer.from(data).toString('base64')
  else if (data !== undefined) envelope['data'] = data
  return envelope
}

/** Checks everything that a decoder checks. Takes any value: what is no envelope is `ce_invalid`. */
export function fromJsonFormat(envelope: unknown): Decoded {
  return readEnvelope(envelope, {})
}

/** The bytes of a structured message. */
export function decodeEnvelope(bytes: Buffer, transport: Transport): Decoded {
  const parsed = parseJson(bytes)
  return parsed.ok ? readEnvelope(parsed.value, transport) : { ...parsed, ...originOf(createDraft(), transport) }
}

function readEnvelope(envelope: unknown, transport: Transport): Decoded {
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    return {
      ok: false,
      code: 'ce_invalid',
      message: 'the envelope is not a JSON object',
      ...originOf(createDraft(), transport),
    }
  }
  const draft = createDraft()
  const members = envelope as Record<string, unknown>
  for (const name of Object.keys(members)) {
    if (name !== 'data' && name !== 'data_base64') setMember(draft, name, members[name])
  }
  const origin = originOf(draft, transport)
  distinguishId(draft, origin)
  return complete(draft, { mode: 'structured', origin, content: contentOf(members, draft.datacontenttype) })
}

function setMember(draft: Draft, name: string, value: unknown): void {
  if (value === null) return
  if (typeof value === 'string') setAttribute(draft, name, value)
  else if (!attributes.has(name) && (typeof value === 'boolean' || isInteger(value)))
    setAttribute(draft, name, String(value))
  else draft.fault ??= 'an attribute is neither text nor, as an extension, an integer or a boolean'
}

// the specified attributes are all text
const attributes = new Set(['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'])

/** Integers of the CloudEvents type system have 32 bits. */
const isInteger = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value

function contentOf(members: Record<string, unknown>, contentType: string | undefined): Content {
  const { data, data_base64: base64 } = members
  if (base64 === undefined || base64 === null) return { ok: true, data }
  if (data !== undefined) return invalid('both data and data_base64')
  if (typeof base64 !== 'string' || !isBase64(base64)) return invalid('data_base64 is not base64')
  const bytes = Buffer.from(base64, 'base64')
  // bytes with a type are what a binary message would carry; bytes without one are bytes
  return contentType === undefined || contentKind(contentType) === 'bytes'
    ? { ok: true, data: bytes }
    : decodeContent(contentType, bytes)
}

const invalid = (message: string): Content => ({ ok: false, code: 'data_invalid', message })

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
