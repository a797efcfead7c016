// What was decided about an event and committed, with what is still to do now that it is durable.

import type { ErrorCode } from '../../errors/index.ts'
import type { Outcome } from '../contract.ts'
import type { Emission } from '../outbox/emission.ts'

export interface Decided {
  readonly outcome: Outcome
  readonly code?: ErrorCode
  /** Why the event did not end well; for the log. */
  readonly reason?: string
  readonly attempt?: number
  /** The attempt was given back. */
  readonly gaveBack?: boolean
  readonly delayMs?: number
  /** Stored in the outbox, to be published. */
  readonly emitted: readonly Emission[]
}

export const settled = (outcome: Outcome, emitted: readonly Emission[] = []): Decided => ({ outcome, emitted })
