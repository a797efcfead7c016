// What others may know of a breaker: whether calls get through, and when that changes.

export type CircuitState = 'closed' | 'half-open' | 'open'

export interface Circuit {
  /** From a closed set; a `circuit_open` error names it in `details.dependency`. */
  readonly dependency: string
  state(): CircuitState
  /** Told after each change. Must not throw. */
  onChange(listener: (state: CircuitState) => void): { stop(): void }
}

export interface Listeners {
  readonly add: Circuit['onChange']
  tell(state: CircuitState): void
}

export function createListeners(): Listeners {
  const listeners = new Set<(state: CircuitState) => void>()
  return {
    add: (listener) => {
      listeners.add(listener)
      return { stop: () => void listeners.delete(listener) }
    },
    tell: (state) => {
      for (const listener of listeners) listener(state)
    },
  }
}
