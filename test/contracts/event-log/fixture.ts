// What the tests of the contract of event logs work with.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { AppendRecord, EventLog, LogRecord } from '../../../shared/event-log/index.ts'
import type { TcpProxy } from '../../support/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'

export interface OpenedLog {
  /** Starts a further instance on the same storage, as another process would. Stopped at the end of the test. */
  open(): Promise<EventLog>
  /** An instance whose way to the storage a test can break. */
  openThroughProxy(): Promise<{ readonly log: EventLog; readonly proxy: TcpProxy }>
  uniqueName(name: string): string
}

/** Opens the storage for one test; undefined when the test was skipped. */
export type OpenLog = (t: TestContext) => Promise<OpenedLog | undefined>

/** A log of the adapter with topics of its own. */
export interface Fixture extends OpenedLog {
  readonly log: EventLog
  topic(partitions: number): Promise<string>
}

/** States one thing that an adapter must do. */
export type Contract = (title: string, body: (fixture: Fixture) => Promise<void>) => void

export const record = (
  topic: string,
  { key, value }: { readonly key: Buffer | null; readonly value: string },
): AppendRecord => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: [],
})

export const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected

/** Everything from the earliest record on, partition after partition. */
export async function readAll(log: EventLog, topic: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = []
  for (let partition = 0; partition < (await log.partitions(topic)); partition += 1) {
    const { earliest, next } = await log.bounds(topic, partition)
    for (let offset = earliest; offset < next;) {
      const records = await log.read({ topic, partition, offset, maxRecords: 100, maxWaitMs: 5_000 })
      assert.ok(records.length > 0, `nothing at ${topic}/${partition}/${offset}`)
      all.push(...records)
      offset = (records.at(-1)?.offset ?? offset) + 1
    }
  }
  return all
}
