// What became of the work that was in flight when a drain began.

export interface DrainedWork {
  /** Ids of what ended by itself. */
  readonly finished: readonly string[]
  /** Ids of what was handed back. */
  readonly released: readonly string[]
}
