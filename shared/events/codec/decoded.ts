// What every decoder answers: an event with where it came from, or the code of what is wrong with as much of that as could
// be read, so that a dead letter can still be found by its position.

import { hash } from 'node:crypto'
import type { ErrorCode } from '../../errors/index.ts'
import { readTrace, type TraceContext, type TracePart, type TraceTexts } from '../../telemetry/index.ts'
import type { CloudEvent } from '../cloud-event.ts'
import { faultOf, toEvent, type Draft } from './attributes.ts'
import type { Content } from './content.ts'
import { eventLimits } from './event-limits.ts'

/** Where an event came from. What is unknown is absent. */
export interface Origin {
  /** From the extension `sluicetopic`, which each of our KafkaSources adds, else from the source of the KafkaSource. */
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** `partitionkey`, else `key`. Longer than 512 bytes: its hash. */
  readonly key?: string
  readonly tenant?: string
  /** The record's own trace before that of the HTTP request, which is often another record's (eventing-kafka-broker #3913). */
  readonly trace?: TraceContext
  /** The part of the trace context that was malformed and is ignored. */
  readonly badTrace?: TracePart
}

/** `raw`: the record of a KafkaSource that was no CloudEvent and got the type that its topic is bound to. */
export type Mode = 'binary' | 'structured' | 'raw'

export type Decoded = DecodedEvent | DecodeFault

export interface DecodedEvent extends Origin {
  readonly ok: true
  readonly mode: Mode
  readonly event: CloudEvent
}

export interface DecodeFault extends Origin {
  readonly ok: false
  readonly code: ErrorCode
  /** Never repeats the input. */
  readonly message: string
  /** As far as they could be read; unchecked. */
  readonly id?: string
  readonly source?: string
  readonly type?: string
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Facts that a transport adds to what the attributes say; they win over them. */
export interface Transport {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: number | undefined
  readonly key?: string | undefined
  /** Of the transport itself; they belong together. */
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

export function originOf(draft: Draft, transport: Transport): Origin {
  const { extensions, source } = draft
  const origin: Mutable<Origin> = {}
  const topic = transport.topic ?? present(extensions['sluicetopic']) ?? topicOfKafkaSource(source)
  const partition = transport.partition ?? wholeNumber(extensions['knativekafkapartition'])
  const offset = transport.offset ?? wholeNumber(extensions['knativekafkaoffset'])
  const key = present(extensions['partitionkey']) ?? present(extensions['key']) ?? present(transport.key)
  const tenant = present(extensions['tenant'])
  const { trace, refused } = readTrace(traceTexts(extensions, transport))
  if (topic !== undefined) origin.topic = topic
  if (partition !== undefined) origin.partition = partition
  if (offset !== undefined) origin.offset = offset
  if (key !== undefined) origin.key = boundedKey(key)
  if (tenant !== undefined) origin.tenant = tenant
  if (trace !== undefined) origin.trace = trace
  if (refused !== undefined) origin.badTrace = refused
  return origin
}

function traceTexts(extensions: Draft['extensions'], transport: Transport): TraceTexts {
  const { traceparent, tracestate, baggage } = extensions
  if (traceparent !== undefined) return { traceparent, tracestate, baggage }
  const inRecord = extensions['kafkaheadertraceparent']
  if (inRecord === undefined) return transport
  return { traceparent: inRecord, tracestate: extensions['kafkaheadertracestate'] }
}

const present = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : undefined
}

// knative.dev: the source of a KafkaSource's event is /apis/v1/namespaces/<ns>/kafkasources/<name>#<topic>
function topicOfKafkaSource(source: string | undefined): string | undefined {
  if (source === undefined || !source.startsWith('/apis/')) return undefined
  return /^\/apis\/v1\/namespaces\/[^/#]+\/kafkasources\/[^/#]+#([A-Za-z0-9._-]+)$/.exec(source)?.[1]
}

function boundedKey(key: string): string {
  if (key.length * 3 <= eventLimits.keyBytes || Buffer.byteLength(key) <= eventLimits.keyBytes) return key
  return `sha256:${hash('sha256', key)}`
}

interface Complete {
  readonly mode: Mode
  readonly origin: Origin
  readonly content: Content
}

/** A draft and its content become an event, or the first thing wrong with them. */
export function complete(draft: Draft, { mode, origin, content }: Complete): Decoded {
  const broken = faultOf(draft)
  if (broken !== undefined) return faultWith(draft, origin, { code: 'ce_invalid', message: broken })
  if (!content.ok) return faultWith(draft, origin, content)
  return { ...origin, ok: true, mode, event: toEvent(draft, content.data) }
}

export function faultWith(
  draft: Draft,
  origin: Origin,
  fault: { readonly code: ErrorCode; readonly message: string },
): DecodeFault {
  const { id, source, type } = draft
  return {
    ok: false,
    code: fault.code,
    message: fault.message,
    ...origin,
    ...(id === undefined ? {} : { id }),
    ...(source === undefined ? {} : { source }),
    ...(type === undefined ? {} : { type }),
  }
}
