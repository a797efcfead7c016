// The captures of the real dispatcher (captures/README.md) as the tests read them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KafkaSourceSpec, SourceRecord } from '../../../local/kafka-source/index.ts'

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
  readonly rawHeaders: readonly (readonly [string, string])[]
  readonly bodyBase64?: string
  readonly bodyBase64Length?: number
  readonly bodyBase64Repeats?: string
}

export interface ShapeCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly record: CapturedRecord
  readonly requests: readonly CapturedRequest[]
  readonly committed: boolean
  readonly refusedByHttpParser?: unknown
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
      readonly drip?: { readonly chunks: number; readonly everyMs: number }
    }

export interface CapturedStep {
  readonly atMs: number
  readonly to: 'sink' | 'dls' | 'redirect'
  readonly record: string
  readonly attempt: number
  readonly answer: number | string
  readonly traceparent?: string
  readonly recordTraceparent?: string
}

export interface DeliveryCapture {
  readonly name: string
  readonly description: string
  readonly source: KafkaSourceSpec
  readonly records: readonly CapturedRecord[]
  readonly sinkAnswers?: readonly ScriptedAnswer[] | null
  readonly deadLetterAnswers?: readonly ScriptedAnswer[] | null
  readonly observed: {
    readonly sequence: readonly CapturedStep[]
    readonly deadLettered: boolean
    readonly committedAll: boolean
    readonly maxInFlight?: number
  }
  readonly firstRequest?: CapturedRequest
  readonly deadLetterRequest?: CapturedRequest
}

const folder = join(import.meta.dirname, 'captures')

const captures: readonly { readonly file: string; readonly content: Record<string, unknown> }[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .toSorted()
  .map((file) => ({ file, content: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown> }))

/** One record in, the exact request out. */
export const shapeCaptures = captures
  .filter(({ content }) => 'record' in content)
  .map(({ content }) => content as unknown as ShapeCapture)

/** Retries, dead letters, order. */
export const deliveryCaptures = captures
  .filter(({ file }) => file.startsWith('delivery-'))
  .map(({ content }) => content as unknown as DeliveryCapture)

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

export const requestBody = ({ bodyBase64, bodyBase64Length, bodyBase64Repeats }: CapturedRequest): Buffer =>
  bodyBase64Length === undefined
    ? Buffer.from(bodyBase64 ?? '', 'base64')
    : Buffer.from((bodyBase64Repeats ?? '').repeat(bodyBase64Length))

/** Headers without what differs from run to run: span ids. Surrounding spaces are lost in HTTP. */
export const comparable = (headers: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] =>
  headers.map(
    ([name, value]) =>
      [name, name === 'traceparent' ? value.replace(/-[0-9a-f]{16}-/, '-<span>-') : value.trim()] as const,
  )
