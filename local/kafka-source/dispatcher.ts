// Which records are under way and which wait (OrderedConsumerVerticle.java, OrderedAsyncExecutor.java,
// UnorderedConsumerVerticle.java).
//
// D1  Ordered: one record of a partition at a time, the next one only after the final outcome of the one before. A partition
//     wants records while none of its own wait, also while one is under way.
// D2  Unordered: everything is under way at once. Records are wanted while fewer than `maxPollRecords` are.
// D3  A record about which nothing was decided, because it is jammed or the source stops, keeps its place for ever.

import type { Partition } from './partition.ts'
import type { Prepared } from './record-batch.ts'

/** Resolves with whether the record was decided. */
export type Settle = (prepared: Prepared, partition: Partition) => Promise<'settled' | 'undecided'>

export interface Dispatcher {
  take(prepared: Prepared, partition: Partition): void
  wants(partition: Partition): boolean
  /** Records that wait are forgotten, none is begun any more. */
  close(): void
  /** Resolves when nothing is under way. Never while a record is jammed. */
  idle(): Promise<void>
}

export interface DispatcherOptions {
  readonly ordering: 'ordered' | 'unordered'
  readonly maxPollRecords: number
}

export interface DispatcherDeps {
  readonly settle: Settle
  /** A place became free. */
  readonly onFree: () => void
}

export function createDispatcher(options: DispatcherOptions, { settle, onFree }: DispatcherDeps): Dispatcher {
  const { ordering, maxPollRecords } = options
  const waiting = new Map<Partition, Prepared[]>()
  const busy = new Set<Partition>()
  const idlers: (() => void)[] = []
  let underWay = 0
  let closed = false

  async function run(prepared: Prepared, partition: Partition): Promise<'settled' | 'undecided'> {
    underWay += 1
    const decided = await settle(prepared, partition)
    if (decided === 'undecided') return decided
    underWay -= 1
    if (underWay === 0) for (const resolve of idlers.splice(0)) resolve()
    return decided
  }

  async function drainPartition(partition: Partition): Promise<void> {
    busy.add(partition)
    for (let next = nextOf(partition); next !== undefined; next = nextOf(partition)) {
      if ((await run(next, partition)) === 'undecided') return
    }
    busy.delete(partition)
    onFree()
  }

  const nextOf = (partition: Partition): Prepared | undefined => (closed ? undefined : waiting.get(partition)?.shift())

  async function runAlone(prepared: Prepared, partition: Partition): Promise<void> {
    if ((await run(prepared, partition)) === 'settled') onFree()
  }

  function queue(prepared: Prepared, partition: Partition): void {
    const queued = waiting.get(partition) ?? []
    waiting.set(partition, queued)
    queued.push(prepared)
    if (!busy.has(partition)) void drainPartition(partition)
  }

  return {
    take: (prepared, partition) =>
      ordering === 'unordered' ? void runAlone(prepared, partition) : queue(prepared, partition),
    wants: (partition) =>
      ordering === 'unordered' ? underWay < maxPollRecords : (waiting.get(partition)?.length ?? 0) === 0,
    close: () => {
      closed = true
      waiting.clear()
    },
    idle: () => (underWay === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  }
}
