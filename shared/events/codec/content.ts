// Data between its bytes and its value, as `datacontenttype` says.
//
// D1  JSON (application/json, text/json, anything +json) becomes its value under the JSON limits; text/* and XML become text;
//     all else stays bytes. JSON is UTF-8 (RFC 8259 §8.1): another charset is refused. Text in another charset stays bytes.
// D2  No content type: JSON when it parses, else bytes. A KafkaSource sends none for a record without the header, and none
//     when the producer spelled it `Content-Type`, so the absence says nothing; broken limits still count.
// D3  No bytes: no data (`undefined`), whatever the type. A KafkaSource sends a null and an empty value alike.

import { isUtf8 } from 'node:buffer'
import type { CloudEvent } from '../cloud-event.ts'
import { parseJson, type JsonFault } from '../json/parse-json.ts'

export type Content =
  | { readonly ok: true; readonly data: unknown }
  | {
      readonly ok: false
      readonly code: JsonFault | 'data_invalid' | 'unsupported_media_type'
      readonly message: string
    }

type ContentKind = 'json' | 'text' | 'bytes' | 'unknown' | 'json-in-other-charset'

export function decodeContent(contentType: string | undefined, bytes: Buffer): Content {
  if (bytes.length === 0) return { ok: true, data: undefined }
  const kind = contentKind(contentType)
  if (kind === 'json') return decodeJson(bytes)
  if (kind === 'text') return decodeText(bytes)
  if (kind === 'unknown') return decodeUnknown(bytes)
  if (kind === 'bytes') return { ok: true, data: bytes }
  return { ok: false, code: 'unsupported_media_type', message: 'JSON in another charset than UTF-8' }
}

/** The bytes as JSON, whatever they are said to be. Not JSON at all is `data_invalid`: the request around it is in order. */
export function decodeJson(bytes: Buffer): Content {
  const parsed = parseJson(bytes)
  if (parsed.ok) return { ok: true, data: parsed.value }
  return parsed.code === 'invalid_json' ? { ...parsed, code: 'data_invalid' } : parsed
}

function decodeUnknown(bytes: Buffer): Content {
  const json = decodeJson(bytes)
  const isJson = json.ok || (json.code !== 'data_invalid' && json.code !== 'invalid_encoding')
  return isJson ? json : { ok: true, data: bytes }
}

function decodeText(bytes: Buffer): Content {
  if (!isUtf8(bytes)) return { ok: false, code: 'invalid_encoding', message: 'the text is not well-formed UTF-8' }
  if (bytes.includes(0)) return { ok: false, code: 'invalid_character', message: 'the text holds NUL' }
  return { ok: true, data: bytes.toString('utf8') }
}

export function contentKind(contentType: string | undefined): ContentKind {
  if (contentType === 'application/json') return 'json' // nearly always
  if (contentType === undefined) return 'unknown'
  const type = mediaType(contentType)
  if (type === '') return 'unknown'
  if (isJson(type)) return isUtf8Charset(contentType) ? 'json' : 'json-in-other-charset'
  const isText = type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml')
  return isText && isUtf8Charset(contentType) ? 'text' : 'bytes'
}

/** The media type without its parameters, in lower case. */
export const mediaType = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()

const isJson = (type: string): boolean => type === 'application/json' || type === 'text/json' || type.endsWith('+json')

function isUtf8Charset(contentType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1]?.toLowerCase()
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii'
}

/** The bytes of an event's data. Data that its type does not describe (an object under text/plain) is written as JSON. */
export function encodeContent({ data, datacontenttype }: Pick<CloudEvent, 'data' | 'datacontenttype'>): Buffer {
  if (data === undefined) return noBytes
  if (data instanceof Uint8Array)
    return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const isPlainText =
    typeof data === 'string' && datacontenttype !== undefined && contentKind(datacontenttype) !== 'json'
  return Buffer.from(isPlainText ? data : JSON.stringify(data))
}

const noBytes = Buffer.alloc(0)

/** Would a reader of the encoded bytes and the content type find the same data again? */
export function keepsContent({ data, datacontenttype }: Pick<CloudEvent, 'data' | 'datacontenttype'>): boolean {
  if (data === undefined) return true
  if (datacontenttype === undefined) return false
  const kind = contentKind(datacontenttype)
  if (data instanceof Uint8Array) return kind === 'bytes' && data.length > 0
  return kind === 'json' || (kind === 'text' && typeof data === 'string' && data !== '')
}
