// The watchdog's tick: the chores once more, so that a process whose timers stood still is woken from outside.

import type { Database } from '../../shared/database/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import type { outboxSync } from './function.ts'
import { prune } from './prune.ts'
import { sweepTurns, type SweepDeps } from './sweep-turns.ts'

export const createHandler =
  ({ transaction, database }: SweepDeps & { readonly database: Database }): Handler<typeof outboxSync> =>
  async (_tick, { log, signal }) => {
    const swept = await sweepTurns({ transaction })
    const pruned = await prune(database, {}, signal)
    log.info({ swept, pruned }, 'chores done')
  }
