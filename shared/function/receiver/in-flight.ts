// The deliveries that run now, and how they end when the process drains. See the states in receiver.ts.

import type { SluiceError } from '../../errors/index.ts'
import type { Reception } from './reception.ts'

export interface DrainedWork {
  /** Ids of what was running when the drain began and ended by itself. */
  readonly finished: readonly string[]
  /** Ids of what was handed back. */
  readonly released: readonly string[]
}

export interface InFlight {
  add(reception: Reception): void
  remove(reception: Reception): void
  ids(): readonly string[]
  /** Resolves when nothing runs. */
  idle(): Promise<void>
  abortAll(reason: SluiceError): void
}

export function createInFlight(): InFlight {
  const running = new Set<Reception>()
  let waiters: (() => void)[] = []
  return {
    add: (reception) => void running.add(reception),
    remove: (reception) => {
      running.delete(reception)
      if (running.size > 0 || waiters.length === 0) return
      for (const resolve of waiters) resolve()
      waiters = []
    },
    ids: () => [...running].map(({ id }) => id),
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    abortAll: (reason) => {
      for (const reception of running) reception.abort(reason)
    },
  }
}
