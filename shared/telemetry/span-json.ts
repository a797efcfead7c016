// A span as OTLP/JSON: the text that a collector takes, and that OpenTelemetry's own serialiser makes of the same span
// (test/shared/telemetry/span-json.test.ts holds them together). What is zero or empty is left out: absent means that
// (protobuf's JSON mapping).
//
// SJ1  Every text of a span passes the redaction and is cut to a length. Names, types and codes come again and again: they are
//      looked at and quoted once.
// SJ2  So many attributes and links are kept, and how many were not is told.

import { ownId, type Redact } from './redact-text.ts'
import type { SpanAttributes, SpanKind } from './span.ts'
import type { TraceContext } from './trace-context.ts'

export interface SpanFacts {
  readonly trace: TraceContext
  readonly parent: TraceContext | undefined
  /** The parent was named, so it may be of another process. */
  readonly isParentRemote: boolean
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: SpanAttributes
  readonly links: readonly TraceContext[]
  /** Of a failure; undefined when there was none. */
  readonly failure: string | undefined
  /** Whole milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
}

export interface SpanLimits {
  readonly attributes: number
  readonly links: number
  readonly valueChars: number
}

export type SpanToJson = (span: SpanFacts) => string

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }
const failed = 2

/** Flags of a span or link: the low bit of the trace, "it is known whether this is remote", and "it is". */
const sampledFlag = 0x001
const knownFlag = 0x100
const remoteFlag = 0x200

const shortText = 64
const mostTexts = 1_024

export function createSpanToJson(limits: SpanLimits, redact: Redact): SpanToJson {
  const quotedTexts = new Map<string, string>()

  function quoted(text: string): string {
    const known = quotedTexts.get(text)
    if (known !== undefined) return known
    if (ownId.test(text)) return `"${text}"`
    const json = JSON.stringify(redact(text).slice(0, limits.valueChars))
    if (text.length > shortText) return json
    if (quotedTexts.size >= mostTexts) quotedTexts.clear()
    quotedTexts.set(text, json)
    return json
  }

  function valueOf(value: NonNullable<SpanAttributes[string]>): string {
    if (typeof value === 'string') return `{"stringValue":${quoted(value)}}`
    if (typeof value === 'boolean') return `{"boolValue":${value}}`
    if (typeof value === 'object') {
      return `{"arrayValue":{"values":[${value.map((member) => `{"stringValue":${quoted(member)}}`).join(',')}]}}`
    }
    if (Number.isSafeInteger(value)) return `{"intValue":${value}}`
    return Number.isFinite(value) ? `{"doubleValue":${value}}` : `{"doubleValue":"${value}"}`
  }

  function attributesOf(attributes: SpanAttributes): string {
    let list = ''
    let kept = 0
    let dropped = 0
    for (const name in attributes) {
      const value = attributes[name]
      if (value === undefined) continue
      if (kept === limits.attributes) {
        dropped += 1
        continue
      }
      list += `${kept === 0 ? '' : ','}{"key":${quoted(name)},"value":${valueOf(value)}}`
      kept += 1
    }
    if (kept === 0) return ''
    return `,"attributes":[${list}]${dropped === 0 ? '' : `,"droppedAttributesCount":${dropped}`}`
  }

  /** The last ones are kept, as OpenTelemetry does. */
  function linksOf(links: readonly TraceContext[]): string {
    if (links.length === 0) return ''
    const dropped = Math.max(0, links.length - limits.links)
    const list = links.slice(dropped).map((link) => `{${placeOf(link)},"flags":${flagsOf(link, false)}}`)
    return `,"links":[${list.join(',')}]${dropped === 0 ? '' : `,"droppedLinksCount":${dropped}`}`
  }

  const placeOf = ({ traceId, spanId, state }: TraceContext): string =>
    `"traceId":"${traceId}","spanId":"${spanId}"${state === undefined ? '' : `,"traceState":${JSON.stringify(state)}`}`

  return (span) => {
    const { trace, parent, failure, startedAt, durationMs } = span
    const above = parent === undefined ? '' : `,"parentSpanId":"${parent.spanId}"`
    const named = `,"name":${quoted(span.name)},"kind":${kinds[span.kind]}`
    const times = `,"startTimeUnixNano":"${nanosOf(startedAt, 0)}","endTimeUnixNano":"${nanosOf(startedAt, durationMs)}"`
    const ended = failure === undefined ? '' : `,"status":{"code":${failed},"message":${quoted(failure)}}`
    const rest = `${attributesOf(span.attributes)}${linksOf(span.links)}${ended}`
    return `{${placeOf(trace)}${above}${named}${times}${rest},"flags":${flagsOf(trace, span.isParentRemote)}}`
  }
}

const flagsOf = ({ sampled }: TraceContext, isRemote: boolean): number =>
  knownFlag | (sampled ? sampledFlag : 0) | (isRemote ? remoteFlag : 0)

/** Nanoseconds do not fit into a number: milliseconds and their millionths are written one after the other. */
function nanosOf(epochMs: number, laterMs: number): string {
  const nanos = Math.round(laterMs * 1e6)
  return `${epochMs + Math.floor(nanos / 1e6)}${String(nanos % 1e6).padStart(6, '0')}`
}

/** What stands before and after the spans of a request. */
export function requestFrame(resource: Readonly<Record<string, string>>): readonly [head: string, tail: string] {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }))
  const head = `{"resourceSpans":[{"resource":${JSON.stringify({ attributes })},"scopeSpans":[{"scope":{"name":"sluice"},"spans":[`
  return [head, ']}]}]}']
}
