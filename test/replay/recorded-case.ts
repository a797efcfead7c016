// A recorded case: test/replay/<function>/<case>.jsonl are the events, <case>.expected.yaml is what comes of them.

import { createReadStream, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse } from 'yaml'
import { readEventLines } from '../../local/replay/index.ts'
import type { CloudEvent } from '../../shared/events/index.ts'

export interface ExpectedEmission {
  readonly topic: string
  readonly type: string
  /** Members that the data must have; others are not looked at. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface Expected {
  /** Where a KafkaSource would read the events. */
  readonly topic: string
  /** Answers of the function's server, by status. */
  readonly answers: Readonly<Record<string, number>>
  /** What the function emits, in the order of each topic. */
  readonly emissions: readonly ExpectedEmission[]
  /** The order among them is left open, as it is without `ordering: 'key'`. */
  readonly inAnyOrder?: boolean
  readonly rows?: readonly { readonly query: string; readonly are: readonly Readonly<Record<string, unknown>>[] }[]
}

export interface RecordedCase {
  readonly function: string
  readonly name: string
  readonly events: readonly CloudEvent[]
  readonly expected: Expected
}

const folder = new URL('.', import.meta.url).pathname

export async function recordedCases(): Promise<readonly RecordedCase[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.jsonl'))
  return Promise.all(files.toSorted().map(readCase))
}

async function readCase(file: string): Promise<RecordedCase> {
  const [name = '', caseName = ''] = file.replace(/\.jsonl$/, '').split('/')
  const events: CloudEvent[] = []
  for await (const line of readEventLines(createInterface({ input: createReadStream(join(folder, file)) }))) {
    if (line.kind === 'fault') throw new Error(`${file}:${line.line} ${line.message}`)
    events.push(line.event)
  }
  const expected = parse(readFileSync(join(folder, `${name}/${caseName}.expected.yaml`), 'utf8')) as Expected
  return { function: name, name: caseName, events, expected }
}
