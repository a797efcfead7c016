// The outbox for code that no event started: routes of HTTP functions, ticks, seeds.

import type { DeliveryContract } from './contract.ts'
import type { DeliveryDeps } from './deps.ts'
import { inSpan, noTracer } from '../telemetry/index.ts'
import { failpoint } from './failpoints.ts'
import type { Effects } from './handler.ts'
import { openEffects } from './runs/effects.ts'

export interface TransactionalOptions {
  /** Tenant of the emitted events. */
  readonly tenant: string
  /** Longest wait for a lock, in milliseconds. Default: the pool's. */
  readonly lockTimeoutMs?: number
}

export interface TransactionalRoutes {
  /**
   * Runs `work` in one transaction; what it emits is stored with its effects and published after COMMIT. When this rejects,
   * nothing was stored – but after `database_unavailable` from a lost COMMIT nobody knows: an idempotency key decides then.
   */
  readonly transaction: <Result>(
    work: (effects: Effects) => Promise<Result>,
    options: TransactionalOptions,
  ) => Promise<Result>
}

type TransactionalDeps = Pick<DeliveryDeps, 'database' | 'outbox' | 'clock' | 'failpoints' | 'tracer'>

/** The emitted events have the trace of the caller's context and the source `/sluice/<name>`. */
export function createTransactional(
  { name, produces }: Pick<DeliveryContract, 'name' | 'produces'>,
  deps: TransactionalDeps,
): TransactionalRoutes {
  const { database, outbox, failpoints, tracer = noTracer } = deps
  return {
    transaction: async (work, { tenant, ...limits }) => {
      const run = () =>
        database.transaction(async (tx) => {
          const open = openEffects(tx, { function: name, produces, tenant }, deps)
          try {
            const result = await work(open.effects)
            return { result, emitted: open.store().emitted }
          } finally {
            open.close()
          }
        }, limits)
      const { result, emitted } = await inSpan(tracer, () => ({ name: 'transaction' }), run)
      outbox.publish(emitted)
      failpoints(failpoint.afterCommit)
      return result
    },
  }
}
