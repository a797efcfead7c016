// The event in a JSON envelope (CloudEventDeserializer of the SDK for Java, format json-jackson). Its data goes on as bytes:
// JSON written anew, text as it is, base64 decoded.

import { parseJackson, printJackson, type JsonNode } from '../java/jackson.ts'
import { javaBytes } from '../java/java-text.ts'
import type { DispatchedEvent } from './dispatched-event.ts'
import { attributeNames, buildEvent, isSpecVersion, type SpecVersion } from './event-attributes.ts'

type Members = ReadonlyMap<string, JsonNode>

export function structuredEvent(value: Buffer | null): DispatchedEvent | undefined {
  const envelope = value === null ? undefined : parseJackson(value)
  if (envelope?.kind !== 'object') return undefined
  const { members } = envelope
  const specversion = textOf(members.get('specversion'))
  if (!isSpecVersion(specversion)) return undefined
  const values = readAttributes(members, specversion)
  if (values === undefined) return undefined
  if (members.has('data') && !values.has('datacontenttype')) values.set('datacontenttype', 'application/json')
  const data = readData(members, {
    encoding: values.get('datacontentencoding'),
    contentType: values.get('datacontenttype'),
  })
  return data === undefined ? undefined : buildEvent({ specversion, values, data })
}

/** Attributes must be strings, null counts as absent; extensions may be anything that has a text. */
function readAttributes(members: Members, specversion: SpecVersion): Map<string, string> | undefined {
  const { required, optional } = attributeNames[specversion]
  const attributes = new Set([...required, ...optional])
  const values = new Map<string, string>()
  for (const [name, node] of members) {
    if (name === 'specversion' || name === 'data' || name === 'data_base64') continue
    if (attributes.has(name) && node.kind === 'null') continue
    const text = attributes.has(name) ? textOf(node) : extensionText(node)
    if (text === undefined) return undefined
    values.set(name, text)
  }
  return values
}

const textOf = (node: JsonNode | undefined): string | undefined => (node?.kind === 'string' ? node.text : undefined)

/** Objects, arrays and null arrive as their JSON text; of numbers only 32-bit integers are allowed. */
function extensionText(node: JsonNode): string | undefined {
  if (node.kind === 'string') return node.text
  if (node.kind !== 'number') return printJackson(node)
  return /^-?\d{1,10}$/.test(node.text) && Number(node.text) === (Number(node.text) | 0) ? node.text : undefined
}

interface Content {
  readonly encoding: string | undefined
  readonly contentType: string | undefined
}

/** Null: none. Undefined: not allowed. */
function readData(members: Members, { encoding, contentType }: Content): Buffer | null | undefined {
  const data = members.get('data')
  const base64 = members.get('data_base64')
  if (data !== undefined && encoding === 'base64') return base64Bytes(data)
  if (data !== undefined && base64 !== undefined) return undefined
  if (base64 !== undefined) return base64Bytes(base64)
  if (data === undefined) return null
  if (isJson(contentType)) return javaBytes(printJackson(data))
  return data.kind === 'string' ? javaBytes(data.text) : undefined
}

const isJson = (contentType: string | undefined): boolean =>
  contentType === undefined || /^(?:application|text)\/(?:[a-zA-Z]+\+)?json(?:;.*)*$/.test(contentType)

/** Base64 as Jackson reads it: the usual alphabet, padded, white space only between groups of four. */
const base64 =
  /^(?:[\x00-\x20]*[A-Za-z0-9+/]{4})*(?:[\x00-\x20]*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=))?[\x00-\x20]*$/

function base64Bytes(node: JsonNode): Buffer | undefined {
  const text = textOf(node)
  return text !== undefined && base64.test(text) ? Buffer.from(text, 'base64') : undefined
}
