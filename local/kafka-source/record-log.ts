// What the twin needs from an event log. Every adapter of shared/event-log has it; tests give a list in memory.

export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Epoch milliseconds. */
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
  readonly value: Buffer | null
}

export interface ReadRequest {
  readonly topic: string
  readonly partition: number
  /** First offset wanted. */
  readonly offset: number
  readonly maxRecords: number
  readonly maxWaitMs: number
}

export interface RecordLog {
  partitions(topic: string): Promise<number>
  read(request: ReadRequest, signal?: AbortSignal): Promise<readonly SourceRecord[]>
  bounds(topic: string, partition: number): Promise<{ readonly earliest: number; readonly next: number }>
  /** Next offset to read, by partition. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>>
  commit(group: string, topic: string, position: { readonly partition: number; readonly offset: number }): Promise<void>
  /** A hint; it may be missing or say too much. */
  onAppend(listener: (topic: string) => void): { stop(): void }
}
