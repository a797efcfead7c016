// The watchdog's tick: the chores once more, so that a process whose timers stood still is woken from outside.

import type { Database } from '../../shared/database/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import type { outboxSync } from './function.ts'
import { prune, type PruneOptions } from './prune.ts'
import { sweepTurns, type SweepDeps } from './sweep-turns.ts'

export interface Deps extends SweepDeps {
  readonly database: Database
  readonly retention: PruneOptions
}

export const createHandler =
  ({ transaction, database, retention }: Deps): Handler<typeof outboxSync> =>
  async (_tick, { log, signal }) => {
    const swept = await sweepTurns({ transaction })
    const pruned = await prune(database, retention, signal)
    log.info({ swept, pruned }, 'chores done')
  }
