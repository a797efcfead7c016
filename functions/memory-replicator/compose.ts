// Puts memory-replicator together from what serve() gives: the handler, the watch over the lag and, where it is switched on,
// compaction.

import type { Handler, Resources } from '../../shared/function/index.ts'
import { repeat, type Component } from '../../shared/lifecycle/index.ts'
import { compact } from './compact.ts'
import type { memoryReplicator } from './function.ts'
import { createHandler } from './handler.ts'
import { createLagWatch } from './lag-watch.ts'

const compactEveryMs = 60_000

export interface MemoryReplicator {
  readonly handler: Handler<typeof memoryReplicator>
  readonly components: readonly Component[]
  readonly loops: readonly Component[]
}

export function createMemoryReplicator(resources: Resources<typeof memoryReplicator>): MemoryReplicator {
  const compaction = repeat(
    { name: 'compaction', everyMs: compactEveryMs },
    resources,
    async (signal) => void (await compact(resources, {}, signal)),
  )
  return {
    handler: createHandler(resources),
    components: [createLagWatch({}, resources)],
    loops: resources.config.memoryCompactionEnabled ? [compaction] : [],
  }
}
