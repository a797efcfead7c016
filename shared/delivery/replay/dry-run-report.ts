// What a dry run found out. Made in the function's process, stored as JSON, read by whoever asked.

export interface DryRunReport {
  /**
   * `done`: the handler came to its end. `failed`: it would fail, see `failure`. `stopped`: it came to a step whose work touches
   * the outside, which a dry run does not do, so nobody knows how it would go on.
   */
  readonly outcome: 'done' | 'failed' | 'stopped'
  readonly failure?: {
    readonly code: string
    readonly message: string
    /** Equal to the dead letter's: the old failure is not cured. */
    readonly fingerprint: string
    /** What delivery would do. */
    readonly becomes: 'dead' | 'retry'
  }
  /** Would be emitted, in order. */
  readonly emissions: readonly { readonly topic: string; readonly key: string; readonly event: unknown }[]
  readonly steps: readonly DryStep[]
  readonly ms: number
}

export interface DryStep {
  readonly name: string
  readonly effect: 'read' | 'idempotent' | 'once' | 'transaction'
  /**
   * `ran`: its work was done, and undone where it wrote. `journalled`: an earlier run finished it, its result was used.
   * `unknown`: a `once` step that began and whose end was not seen. `not-executed`: it would run now. `failed`: its work threw.
   */
  readonly taken: 'ran' | 'journalled' | 'unknown' | 'not-executed' | 'failed'
}
