// The files of captures of the real dispatcher (kafka-source/README.md), as they are checked.

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { KafkaSourceSpec, SourceRecord } from '../../local/kafka-source/index.ts'

export interface CapturedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly headers: readonly (readonly [string, string | null])[]
  readonly value?: string | null
  readonly valueLength?: number
  readonly valueRepeats?: string
}

export interface CapturedRequest {
  readonly method: string
  readonly path: string
  readonly httpVersion: string
  readonly headers: Readonly<Record<string, string>>
  readonly rawHeaders: readonly (readonly [string, string])[]
  readonly bodyBase64?: string
  readonly bodyBase64Length?: number
  readonly bodyBase64Sha256?: string
  readonly bodyBase64Repeats?: string
}

export interface ParserRefusal {
  readonly to?: string
  readonly code: string
  readonly reason?: string
  readonly status: number
}

/** One record in, the exact requests out. */
export interface ShapeCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly record: CapturedRecord
  readonly requests: readonly CapturedRequest[]
  readonly committed: boolean
  readonly refusedByHttpParser?: readonly ParserRefusal[]
}

export type ScriptedAnswer =
  | number
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string | readonly string[]>>
      readonly body?: string
      readonly bodyHex?: string
      readonly delayMs?: number
      readonly close?: string
      readonly reset?: string
      readonly early?: string
      readonly informational?: number
      readonly then?: number
      readonly stall?: { readonly status: number }
      readonly drip?: { readonly status?: number; readonly chunks: number; readonly everyMs: number }
    }

export interface CapturedStep {
  readonly atMs: number
  readonly to: 'sink' | 'dls' | 'redirect'
  readonly record?: string
  readonly attempt?: number
  readonly method?: string
  readonly answer: number | string
  readonly closedByClientAfterMs?: number
  readonly traceparent?: string
  readonly recordTraceparent?: string
}

/** Retries, dead letters, order. */
export interface DeliveryCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly records: readonly CapturedRecord[]
  readonly sinkAnswers?: readonly ScriptedAnswer[] | null
  readonly deadLetterAnswers?: readonly ScriptedAnswer[] | null
  readonly commitIntervalMs?: number
  readonly observed: {
    readonly sequence: readonly CapturedStep[]
    readonly deadLettered: boolean
    readonly committedAll: boolean
    readonly commits?: readonly { readonly atMs: number; readonly partition: number; readonly offset: number }[]
    readonly committedAfterMs?: number
    readonly markerAtMs?: number | null
    readonly maxInFlight?: number
    readonly refusedByHttpParser?: readonly ParserRefusal[]
  }
  readonly firstRequest?: CapturedRequest
  readonly deadLetterRequest?: CapturedRequest
}

export interface LifeStep {
  readonly atMs: number
  readonly what: string
  readonly record?: string
  readonly answer?: number | string
  readonly changed?: boolean
  readonly committedOffset?: number
  readonly closedByClientAfterMs?: number
  readonly done?: boolean
}

/** A dispatcher that ends and comes again, a source that changes: `records` is how many, in one partition. */
export interface LifeCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly records: number
  readonly commitIntervalMs?: number
  readonly observed: {
    readonly sequence: readonly LifeStep[]
    readonly sinkRequests: number
    readonly deadLetterRequests: number
    readonly committedAll: boolean
  }
}

/** Too many records to list: only how many requests there were and how many at once. */
export interface VolumeCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly observed: { readonly requests: number; readonly maxInFlight: number; readonly committedAll: boolean }
}

export interface ThroughputRow {
  readonly maxPollRecords: number
  readonly ordering: 'ordered' | 'unordered'
  readonly partitions: number
  readonly handlerMs: number
  readonly records: number
  readonly perSecond: number
  readonly maxInFlight: number
  readonly outOfOrderPerKey: number
  readonly duplicates: number
}

export type Capture =
  | { readonly kind: 'shape'; readonly file: string; readonly content: ShapeCapture }
  | { readonly kind: 'delivery'; readonly file: string; readonly content: DeliveryCapture }
  | { readonly kind: 'life'; readonly file: string; readonly content: LifeCapture }
  | { readonly kind: 'volume'; readonly file: string; readonly content: VolumeCapture }
  | {
      readonly kind: 'throughput'
      readonly file: string
      readonly content: { readonly results: readonly ThroughputRow[] }
    }
  | { readonly kind: 'unknown'; readonly file: string; readonly fault: string }

export const readCaptures = (folder: string): readonly Capture[] =>
  globSync('*.json', { cwd: folder })
    .toSorted()
    .map((file) => captureOf(basename(file), readFileSync(join(folder, file), 'utf8')))

export function captureOf(file: string, text: string): Capture {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    return { kind: 'unknown', file, fault: `no JSON: ${String(error)}` }
  }
  const kind = kindOf(content)
  if (kind === undefined) return { kind: 'unknown', file, fault: 'neither record, records nor results' }
  return { kind, file, content } as Capture
}

function kindOf(content: unknown): Exclude<Capture['kind'], 'unknown'> | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  if ('results' in content) return 'throughput'
  if ('record' in content) return 'shape'
  if (!('observed' in content)) return undefined
  if (!('records' in content)) return 'volume'
  return Array.isArray(content.records) ? 'delivery' : 'life'
}

const bytes = (base64: string | null | undefined): Buffer | null =>
  base64 === null || base64 === undefined ? null : Buffer.from(base64, 'base64')

export function sourceRecord(captured: CapturedRecord): SourceRecord {
  const { topic, partition, offset, timestamp, key, headers, value, valueLength, valueRepeats } = captured
  return {
    topic,
    partition,
    offset,
    timestampMs: timestamp,
    key: bytes(key),
    headers: headers.map(([name, text]) => [name, bytes(text)] as const),
    value: valueLength === undefined ? bytes(value) : Buffer.from((valueRepeats ?? 'x').repeat(valueLength)),
  }
}
