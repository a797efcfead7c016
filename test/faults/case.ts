// The form of a fault case: something breaks, what must hold is looked at while it is broken, and it heals. How to write one:
// docs/fault-suite.md.
//
// C1  A case proves its fault by `proven()`, from what the system or the proxy says, not from what the case did. Without
//     a proof the case fails, whatever else it saw.
// C2  What it broke is mended by `atEnd()`, also when the case fails: the cases after it share its world.

import type { World } from './world/world.ts'

export interface FaultCase {
  /** The fault family, which `--only` names. */
  readonly id: `F${number}`
  /** What breaks, and what holds all the same. */
  readonly title: string
  /** Left out, with a note, where there is none; under CI=true that is a failure. */
  readonly needs?: 'kafka'
  /** It has a world of its own; in the smoke run it goes on beside the cases that follow. */
  readonly apart?: true
  /** Not in the smoke run. */
  readonly fullOnly?: boolean
  /** Times it is done under `--full`. Default 3; the smoke run does it once. */
  readonly repeats?: number
  /** Longest run in milliseconds, without the healing. Default 60,000. */
  readonly limitMs?: number
  /** @throws what failed, an AssertionError as a rule. */
  run(fault: Fault): Promise<void>
}

export interface Fault {
  /** The platform under fault, shared by all cases. A case that asked for it also has to leave it healed and bounded. */
  world(): Promise<World>
  /** The evidence that the fault happened. More than one call: all are printed. */
  proven(proof: string): void
  /** Something measured, printed behind the proof. */
  note(measure: string): void
  /** Runs at the end of the case, last registered first, before it is judged whether the world heals. */
  atEnd(cleanUp: () => unknown): void
  /** Repetitions and lengths of the full run are wanted. */
  readonly full: boolean
  /** Aborts when the case has run too long. */
  readonly signal: AbortSignal
}
