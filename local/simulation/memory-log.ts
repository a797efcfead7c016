// A log in memory for the twin's core: what was appended, and what the twin committed.

import type { RecordLog, SourceRecord } from '../kafka-source/index.ts'

export interface MemoryLog extends RecordLog {
  append(records: readonly SourceRecord[]): void
  /** Next offset by `topic/partition`. */
  readonly commits: ReadonlyMap<string, number>
  readonly reads: () => number
}

/** `partitions` of every topic, or of each by its name. */
export function createMemoryLog(partitions: number | ((topic: string) => number)): MemoryLog {
  const records = new Map<string, SourceRecord[]>()
  const commits = new Map<string, number>()
  const listeners = new Set<(topic: string) => void>()
  let reads = 0
  const of = (topic: string, partition: number): readonly SourceRecord[] => records.get(`${topic}/${partition}`) ?? []
  return {
    commits,
    reads: () => reads,
    append: (added) => {
      for (const [name, some] of Map.groupBy(added, ({ topic, partition }) => `${topic}/${partition}`)) {
        records.set(
          name,
          [...(records.get(name) ?? []), ...some].toSorted((a, b) => a.offset - b.offset),
        )
      }
      for (const topic of new Set(added.map((record) => record.topic)))
        for (const listener of listeners) listener(topic)
    },
    partitions: (topic) => Promise.resolve(typeof partitions === 'number' ? partitions : partitions(topic)),
    read: ({ topic, partition, offset, maxRecords }) => {
      reads += 1
      const all = of(topic, partition)
      const first = firstFrom(all, offset)
      return Promise.resolve(all.slice(first, first + maxRecords))
    },
    bounds: (topic, partition) => {
      const all = of(topic, partition)
      return Promise.resolve({ earliest: all[0]?.offset ?? 0, next: (all.at(-1)?.offset ?? -1) + 1 })
    },
    committed: (_group, topic) => {
      const ofTopic = [...commits].filter(([name]) => name.startsWith(`${topic}/`))
      return Promise.resolve(new Map(ofTopic.map(([name, offset]) => [Number(name.split('/')[1]), offset])))
    },
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

/** Index of the first record with this offset or a higher one. */
function firstFrom(all: readonly SourceRecord[], offset: number): number {
  let [low, high] = [0, all.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((all[middle]?.offset ?? 0) < offset) low = middle + 1
    else high = middle
  }
  return low
}
