// Who decides about a dead letter, for the ledger.

export interface Operator {
  /** Of the command; all its entries in the ledger have it. */
  readonly runId: string
  /** Who did it, for the ledger. */
  readonly by: string
  readonly reason: string
  /** Only this tenant's dead letters exist for the operator. Undefined: every tenant's. */
  readonly tenant?: string | undefined
}
