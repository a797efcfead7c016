// The watchdog's tick: the chores once more, so that a process whose timers stood still is woken from outside.

import type { Handler } from '../../shared/function/index.ts'
import type { outboxSync } from './function.ts'
import type { Prune } from './prune.ts'
import { sweepTurns, type SweepDeps } from './sweep-turns.ts'

export interface Deps extends SweepDeps {
  readonly prune: Prune
}

export const createHandler =
  ({ transaction, prune }: Deps): Handler<typeof outboxSync> =>
  async (_tick, { log, signal }) => {
    const swept = await sweepTurns({ transaction })
    const pruned = await prune(signal)
    log.info({ swept, pruned }, 'chores done')
  }
