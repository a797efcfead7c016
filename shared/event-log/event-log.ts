// The port: topics of partitions of records, each record at an offset. Kafka's model, as far as Sluice uses it.
//
// Every adapter passes test/contracts/event-log:
// E1  A record is durable when append() resolves. A rejected append may have stored its records or not.
// E2  Offsets of a partition rise without repeats; a reader never sees an offset before all lower ones. Records of one
//     (topic, key) land in one partition, in the order of the calls.
// E3  Records older than the topic's retention vanish from the low end; reading below it continues at the earliest record.

import type { Component } from '../lifecycle/index.ts'

export interface AppendRecord {
  readonly topic: string
  /** Decides the partition; null spreads records over the partitions. */
  readonly key: Buffer | null
  /** A name may repeat; its values keep their order. An adapter may store null as empty and move equal names together. */
  readonly headers: readonly (readonly [string, Buffer | null])[]
  readonly value: Buffer | null
  /** Milliseconds since the epoch. Default: now. */
  readonly timestampMs?: number
}

export interface LogRecord extends AppendRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
}

export interface Position {
  readonly partition: number
  readonly offset: number
}

export interface TopicDeclaration {
  readonly name: string
  readonly partitions: number
  /** Keeps the last record of each key for ever. */
  readonly compacted?: boolean
  /** How long Kafka keeps a record, in milliseconds. Default: what the broker does. */
  readonly retentionMs?: number
}

export interface ReadOptions {
  readonly topic: string
  readonly partition: number
  /** Of the first record wanted. */
  readonly offset: number
  /** At most so many records; fewer when they are large. */
  readonly maxRecords: number
  /** How long to wait for the first record, in milliseconds. */
  readonly maxWaitMs: number
}

/** Every method may throw SluiceError `event_log_unavailable`, and `unknown_topic` for a topic that was never created. */
export interface EventLog extends Component {
  probe(signal: AbortSignal): Promise<void>
  /** Creates what is missing. The partitions of an existing topic stay as they are: changing them would move keys. */
  ensureTopics(topics: readonly TopicDeclaration[]): Promise<void>
  /** @throws SluiceError `event_too_large` when a record is over `maxRecordBytes`; then nothing of the call is stored. */
  append(records: readonly AppendRecord[], options?: { readonly signal?: AbortSignal }): Promise<readonly Position[]>
  partitions(topic: string): Promise<number>
  /** Records from the offset on; empty when none came within `maxWaitMs`. Rejects with the reason of `signal` when it aborts. */
  read(options: ReadOptions, signal?: AbortSignal): Promise<readonly LogRecord[]>
  /** Offset of the earliest kept record, and the offset the next record will get. */
  bounds(topic: string, partition: number): Promise<{ readonly earliest: number; readonly next: number }>
  /** The next offset to read, by partition; partitions the group never committed are missing. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>>
  /** On Kafka `conflict` while consumers are at work in the group. */
  commit(group: string, topic: string, position: Position): Promise<void>
  /** A hint that a topic has new records: it may come without any and may be missing, so callers still poll. */
  onAppend(listener: (topic: string) => void): { stop(): void }
}
