// What runs here: two loops of shared/delivery and four chores.

import {
  createLaneDriver,
  createLaneGauges,
  createOutboxGauges,
  createRelay,
  createTransactional,
  functionUrlsOf,
} from '../../shared/delivery/index.ts'
import type { Handler, Resources } from '../../shared/function/index.ts'
import { repeat, type Component } from '../../shared/lifecycle/index.ts'
import { checkBooks } from './check-books.ts'
import { outboxSync } from './function.ts'
import { createHandler } from './handler.ts'
import { createPrune, doneMsOf, postgresLogRetentionMs } from './prune.ts'
import { sweepTurns } from './sweep-turns.ts'

const sweepEveryMs = 5_000
const pruneEveryMs = 60_000
const countEveryMs = 15_000
const reconcileEveryMs = 60_000

export interface OutboxSync {
  readonly handler: Handler<typeof outboxSync>
  readonly loops: readonly Component[]
}

export function createOutboxSync(resources: Resources<typeof outboxSync>): OutboxSync {
  const { config, database } = resources
  const gauges = [createLaneGauges(resources.instruments), createOutboxGauges(resources.instruments)]
  const transactional = createTransactional(outboxSync, resources)
  const logRetentionMs = config.kafkaBrokers.length === 0 ? postgresLogRetentionMs : undefined
  const prune = createPrune({ logRetentionMs, doneMs: doneMsOf(config) }, resources)
  return {
    handler: createHandler({ ...transactional, prune }),
    loops: [
      createRelay(resources),
      createLaneDriver({ functionUrl: functionUrlsOf(config) }, resources),
      repeat(
        { name: 'turn sweeper', everyMs: sweepEveryMs },
        resources,
        async () => void (await sweepTurns(transactional)),
      ),
      repeat(
        { name: 'gauges', everyMs: countEveryMs },
        resources,
        async () => void (await Promise.all(gauges.map((gauge) => gauge.refresh(database)))),
      ),
      repeat({ name: 'pruning', everyMs: pruneEveryMs }, resources, async (signal) => void (await prune(signal))),
      repeat({ name: 'reconciliation', everyMs: reconcileEveryMs }, resources, () => checkBooks(resources)),
    ],
  }
}
