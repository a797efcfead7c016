// What delivery works with.

import type { Database } from '../database/index.ts'
import type { Failpoints } from '../lifecycle/index.ts'
import type { Circuit } from '../resilience/index.ts'
import type { Instruments, Logger, Redact, Tracer } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { Outbox } from './outbox/outbox.ts'

export interface DeliveryDeps {
  readonly database: Database
  readonly outbox: Outbox
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
  /** Takes from a failure's text what must not be stored. Default: what looks like a credential. */
  readonly redact?: Redact
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly failpoints: Failpoints
  /** Breakers of what the function cannot work without. Default: none. */
  readonly circuits?: readonly Circuit[]
  /** Hops after which a chain of events ends. Default: see outbox/hops.ts. */
  readonly hopLimit?: number
  /** Age from which on a source's event is too old to be taken, in milliseconds. Default: none is. */
  readonly tooOldMs?: number
  /** Stamped on dead letters. Default: 'unknown'. */
  readonly versions?: { readonly functionVersion: string; readonly configVersion: string }
}
