// Contract of memory-replicator.

import { memoryRecordWritten, topics } from '../../shared/events/index.ts'
import { defineFunction } from '../../shared/function/index.ts'

export const memoryReplicator = defineFunction({
  name: 'memory-replicator',
  purpose: 'Copies every memory write from the log into the replica that recall reads',
  consumes: [{ topic: topics.memoryWal, type: memoryRecordWritten }],
  produces: [],
  execution: 'transaction',
  // The key is the memory, so a memory whose writes do not fit together stops alone.
  ordering: 'key',
  // A write that was given up would be missing for ever, so it waits for a person.
  delivery: { attempts: 6, backoff: { firstMs: 500, maxMs: 30_000 }, onExhausted: 'hold', timeoutMs: 10_000 },
  needs: ['postgres'],
  // One always runs: the lag must be seen when nothing arrives any more.
  scale: { min: 1, max: 20, concurrency: 50 },
})
