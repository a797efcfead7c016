// Reads the captures of a real KafkaSource (test/conformance/kafka-source/README.md).

import { readdirSync, readFileSync } from 'node:fs'
import type { EventRecord, HttpEventRequest } from '../../../../shared/events/index.ts'

export interface Capture {
  readonly name: string
  readonly description: string
  readonly request: HttpEventRequest
  readonly record: EventRecord & { readonly topic: string; readonly partition: number; readonly offset: number }
}

interface CaptureFile {
  readonly description: string
  readonly record: {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly key: string | null
    readonly headers: readonly (readonly [string, string | null])[]
    readonly value: string | null
  }
  readonly requests: readonly { readonly headers: Record<string, string>; readonly bodyBase64?: string }[]
}

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64')
const nullable = (base64: string | null): Buffer | null => (base64 === null ? null : bytes(base64))

const directory = new URL('../../../conformance/kafka-source/', import.meta.url)

export const captures: readonly Capture[] = readdirSync(directory)
  .filter((file) => /^(?:raw|ce|key|overrides)-.*\.json$/.test(file))
  .toSorted()
  .flatMap((file) => readCapture(file.slice(0, -'.json'.length)))

export function captureOf(name: string): Capture {
  const found = captures.find((capture) => capture.name === name)
  if (found === undefined) throw new Error(`no capture ${name}`)
  return found
}

/** None when nothing reached the receiver. */
function readCapture(name: string): Capture[] {
  const { description, record, requests } = JSON.parse(
    readFileSync(new URL(`${name}.json`, directory), 'utf8'),
  ) as CaptureFile
  return requests.slice(0, 1).map((request) => ({
    name,
    description,
    request: { headers: request.headers, body: bytes(request.bodyBase64 ?? '') },
    record: {
      ...record,
      key: nullable(record.key),
      headers: record.headers.map(([header, value]) => [header, nullable(value)] as const),
      value: nullable(record.value),
    },
  }))
}
