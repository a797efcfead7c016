// A contract with the handler that belongs to its execution.

import type { DeliveryContract } from '../contract.ts'
import type { StepsHandler, TransactionHandler } from '../handler.ts'
import type { CircuitGate } from './circuit-gate.ts'

export interface TransactionBehaviour {
  readonly execution: 'transaction'
  readonly contract: DeliveryContract
  readonly handler: TransactionHandler
  /** Ends runs early: a drain ran out of time, or a lease is lost. */
  readonly parent: AbortSignal
  readonly gate: CircuitGate
}

export interface StepsBehaviour {
  readonly execution: 'steps'
  readonly contract: DeliveryContract
  readonly handler: StepsHandler
  readonly parent: AbortSignal
  readonly gate: CircuitGate
}

export type Behaviour = TransactionBehaviour | StepsBehaviour
