// What runs here: two loops of shared/delivery and two chores. The tick does the chores once more, so that a process whose
// timers stood still is woken from outside.

import type { Database } from '../../shared/database/index.ts'
import { createLaneDriver, createRelay, createTransactional, functionUrlsOf } from '../../shared/delivery/index.ts'
import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { outboxSync } from './function.ts'
import { prune } from './prune.ts'
import { repeat } from './repeat.ts'
import { sweepTurns, type SweepDeps } from './sweep-turns.ts'

const sweepEveryMs = 5_000
const pruneEveryMs = 60_000

export interface OutboxSync {
  readonly handler: Handler<typeof outboxSync>
  readonly loops: readonly Component[]
}

export function createOutboxSync(resources: Resources<typeof outboxSync>): OutboxSync {
  const { config, database } = resources
  const transactional = createTransactional(outboxSync, resources)
  return {
    handler: createHandler({ ...transactional, database }),
    loops: [
      createRelay(resources),
      createLaneDriver({ functionUrl: functionUrlsOf(config) }, resources),
      repeat(
        { name: 'turn sweeper', everyMs: sweepEveryMs },
        resources,
        async () => void (await sweepTurns(transactional)),
      ),
      repeat(
        { name: 'pruning', everyMs: pruneEveryMs },
        resources,
        async (signal) => void (await prune(database, {}, signal)),
      ),
    ],
  }
}

export const createHandler =
  ({ transaction, database }: SweepDeps & { readonly database: Database }): Handler<typeof outboxSync> =>
  async (_tick, { log, signal }) => {
    const swept = await sweepTurns({ transaction })
    const pruned = await prune(database, {}, signal)
    log.info({ swept, pruned }, 'chores done')
  }
