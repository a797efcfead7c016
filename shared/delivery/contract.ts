// What delivery needs to know of a function, and what it answers. A function definition of `shared/function` fits as it is.

import type { CloudEvent, EventType, Origin, Topic } from '../events/index.ts'
import type { ErrorCode } from '../errors/index.ts'
import type { BackoffOptions } from '../time/index.ts'

export interface DeliveryContract {
  readonly name: string
  readonly execution: 'transaction' | 'steps'
  /** `key`: events of one key run one at a time in the source's order. `none`: a lane per event. */
  readonly ordering: 'key' | 'none'
  readonly delivery: {
    /** Runs of one event before it becomes a dead letter, the first included. */
    readonly attempts: number
    readonly backoff: BackoffOptions
    /** `dead-letter` (default): the lane goes on without the event. `hold`: it keeps its place and the lane waits for a person. */
    readonly onExhausted?: 'dead-letter' | 'hold'
    /** Longest run of the handler, in milliseconds. */
    readonly timeoutMs: number
  }
  readonly produces: readonly Production[]
}

/** An event type on the topic that carries it. */
export interface Production {
  readonly topic: Topic
  readonly type: EventType
}

/** An event as the receiver has decoded and validated it: what `decodeHttpEvent` gives, and the body. */
export interface Incoming<Event extends CloudEvent = CloudEvent> extends Origin {
  readonly event: Event
  /** The body as it arrived: what a dead letter keeps. */
  readonly raw: Buffer
}

/** What is no event of this function, as it arrived. */
export interface Refused extends Origin {
  readonly raw: Buffer
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly code: ErrorCode
  /** Never repeats the input. */
  readonly message: string
  /** When it could be decoded and is refused for its type or data: then its id is taken, as by any event. */
  readonly event?: CloudEvent
  /** The value of `sluice-lane-token` when the lane driver sent it: the lane goes on without this event. */
  readonly laneToken?: string
}

/** `waiting`: for a dependency. `held`: for a person. */
export type Outcome = 'done' | 'parked' | 'duplicate' | 'dead' | 'retrying' | 'waiting' | 'held' | 'stale' | 'refused'

/** What the request is answered. Nothing is 2xx that is not durable. */
export interface Answer {
  readonly status: 200 | 202 | 409 | 503
  readonly outcome: Outcome
  readonly code?: ErrorCode
  /** Seconds for `Retry-After`. */
  readonly retryAfterS?: number
}

export interface Delivery {
  /** An event from its source. */
  accept(incoming: Incoming): Promise<Answer>
  /** An event from the lane driver, with the value of `sluice-lane-token`. The run does not depend on the request staying open. */
  run(incoming: Incoming, laneToken: string): Promise<Answer>
  /** Runs the handler for the event of a dead letter and keeps nothing but the report. `stale`: the token is not good for it. */
  dryRun(incoming: Incoming, dryRunToken: string): Promise<Answer>
  /** What is no event of this function becomes a dead letter. */
  reject(refused: Refused): Promise<Answer>
  /** Aborts what still runs, gives its lanes back at no attempt, and returns the ids. For a drain that ran out of time. */
  release(): Promise<readonly string[]>
}
