// A log in memory for the twin's core: what a test appends, and what the twin commits.

import type { RecordLog, SourceRecord } from '../../../local/kafka-source/index.ts'

export interface MemoryLog extends RecordLog {
  append(records: readonly SourceRecord[]): void
  /** Next offset by `topic/partition`. */
  readonly commits: ReadonlyMap<string, number>
  readonly reads: () => number
}

export function createMemoryLog(partitions: number): MemoryLog {
  const records: SourceRecord[] = []
  const commits = new Map<string, number>()
  const listeners = new Set<(topic: string) => void>()
  let reads = 0
  const of = (topic: string, partition: number): readonly SourceRecord[] =>
    records.filter((record) => record.topic === topic && record.partition === partition)
  return {
    commits,
    reads: () => reads,
    append: (added) => {
      records.push(...added)
      for (const topic of new Set(added.map((record) => record.topic)))
        for (const listener of listeners) listener(topic)
    },
    partitions: () => Promise.resolve(partitions),
    read: ({ topic, partition, offset, maxRecords }) => {
      reads += 1
      return Promise.resolve(
        of(topic, partition)
          .filter((record) => record.offset >= offset)
          .slice(0, maxRecords),
      )
    },
    bounds: (topic, partition) =>
      Promise.resolve({
        earliest: of(topic, partition)[0]?.offset ?? 0,
        next: (of(topic, partition).at(-1)?.offset ?? -1) + 1,
      }),
    committed: (_group, topic) =>
      Promise.resolve(
        new Map(
          [...commits]
            .filter(([name]) => name.startsWith(`${topic}/`))
            .map(([name, offset]) => [Number(name.split('/')[1]), offset]),
        ),
      ),
    commit: (_group, topic, { partition, offset }) => {
      commits.set(`${topic}/${partition}`, offset)
      return Promise.resolve()
    },
    onAppend: (listener) => {
      listeners.add(listener)
      return { stop: () => void listeners.delete(listener) }
    },
  }
}
