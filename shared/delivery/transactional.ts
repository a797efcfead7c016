// The outbox for code that no event started: routes of HTTP functions, ticks, seeds.

import type { Effects } from './handler.ts'

export interface TransactionalOptions {
  /** Tenant of the emitted events. */
  readonly tenant: string
  /** Longest wait for a lock, in milliseconds. Default: the pool's. */
  readonly lockTimeoutMs?: number
}

export interface TransactionalRoutes {
  /** Runs `work` in one transaction; what it emits is stored with its effects and published after COMMIT. */
  readonly transaction: <Result>(
    work: (effects: Effects) => Promise<Result>,
    options: TransactionalOptions,
  ) => Promise<Result>
}
