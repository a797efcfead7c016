// The pipeline of an event: policies of one shape, composed from a list, outermost first, so that the order can be read
// and tested. Limits and decoding come before it, in receiver.ts.

import type { ErrorCode } from '../../errors/index.ts'
import type { Incoming } from '../../delivery/index.ts'
import type { CloudEvent, Origin } from '../../events/index.ts'
import type { Instruments, Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Reception } from './reception.ts'
import type { Reply } from './reply.ts'

export type Receive = (incoming: Incoming, reception: Reception) => Reply | Promise<Reply>

/** Answers for an event that this function cannot take; see refuse.ts. */
export type Refuse = (refusal: Refusal, reception: Reception) => Reply | Promise<Reply>

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  /** The body as it arrived. */
  readonly raw: Buffer
  /** Where it came from, as far as that could be read. */
  readonly origin: Origin
  /** When it could be decoded. */
  readonly event?: CloudEvent
}

export interface PolicyDeps {
  readonly clock: Clock
  readonly refuse: Refuse
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
  readonly badTraceContexts?: Instruments['badTraceContexts'] | undefined
}

/** Wraps what follows. */
export type Policy = (deps: PolicyDeps, next: Receive) => Receive

export const composePipeline = (policies: readonly Policy[], last: Receive, deps: PolicyDeps): Receive =>
  policies.reduceRight<Receive>((next, policy) => policy(deps, next), last)
