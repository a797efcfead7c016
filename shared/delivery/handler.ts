// What a handler gets. The types say what each kind of function may touch: a transaction function sees the database and
// nothing outside; a steps function reaches the outside only through journalled steps.

import type { Transaction } from '../database/index.ts'
import type { CloudEvent, EventType, Topic } from '../events/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Where the event came from and what names it. `source` and `id` are the identity that the inbox keeps. */
export interface DeliveryOrigin {
  readonly source: string
  readonly id: string
  /** The lane of the event: events of one key run one at a time, in order. */
  readonly key: string
  /** Known when the event came from a log. */
  readonly topic?: string
}

export interface EmitOptions {
  /** The key of the record: order holds within (topic, key). */
  readonly key: string
  readonly subject?: string
  /** Needed only when `produces` names the type on several topics. */
  readonly topic?: Topic
  /** Becomes the extension `sessionid`. */
  readonly sessionId?: string
  /** Default: the tenant of the event, or of the transaction. */
  readonly tenant?: string
  /**
   * The event does not count as a hop of the chain in which it is emitted. Only for what takes up other work that somebody
   * asked for, such as the next of a queue: a circle of such events has no end.
   */
  readonly beginsChain?: boolean
}

/**
 * Buffers an event; it is stored in the transaction that runs `emit` and published after COMMIT. Returns the event's id.
 * @throws SluiceError `unknown_topic` (the contract does not produce it), `data_invalid` (the schema refuses it) or
 * `event_too_large`: what no log would take is refused here, where the handler can still see it. `hop_limit`: the chain of
 * events that led here is a circle.
 */
export type Emit = <Type extends string, Data>(type: EventType<Type, Data>, data: Data, options: EmitOptions) => string

/** The two things that commit together. */
export interface Effects {
  readonly tx: Transaction
  readonly emit: Emit
}

interface RunContext {
  readonly log: Logger
  /** Aborts when the handler's time is up, the lease is lost, or a drain runs out of time. */
  readonly signal: AbortSignal
  /** 1 for the first run of the event. */
  readonly attempt: number
  readonly delivery: DeliveryOrigin
  readonly tenant: string
}

export interface TransactionContext extends RunContext, Effects {}

/**
 * What a crash means for a step.
 * `read`: it may run again. `idempotent`: it runs again with the same idempotencyKey. `once`: it never runs again; when its
 * end was not seen its outcome is unknown.
 */
export type StepEffect = 'read' | 'idempotent' | 'once'

export interface StepRun {
  /** The same for every run of this step of this event. */
  readonly idempotencyKey: string
  readonly signal: AbortSignal
}

export type OnceOutcome<Result> =
  | { readonly outcome: 'known'; readonly value: Result }
  | { readonly outcome: 'unknown' }

/**
 * Runs `fn` and journals its result under `name`, which is unique within the event. A finished step returns the journalled
 * result and `fn` is not called. The result must be JSON, at most 1 MiB, and arrives as JSON also the first time.
 * The start of a step is committed before `fn` is called. A step that throws is not finished; the error passes through.
 */
export interface Step {
  <Result>(
    name: string,
    options: { readonly effect: 'read' | 'idempotent' },
    fn: (run: StepRun) => Promise<Result>,
  ): Promise<Result>
  <Result>(
    name: string,
    options: { readonly effect: 'once' },
    fn: (run: StepRun) => Promise<Result>,
  ): Promise<OnceOutcome<Result>>
}

export interface StepsContext extends RunContext {
  readonly step: Step
  /** A step whose effects, emissions and journal row commit together: it has happened exactly when it is finished. */
  readonly transaction: <Result>(name: string, fn: (effects: Effects) => Promise<Result>) => Promise<Result>
  /** The last step: its effects and the end of the event commit together. Without it, returning ends the event. */
  readonly commit: <Result>(fn: (effects: Effects) => Promise<Result>) => Promise<Result>
}

export type TransactionHandler<Event extends CloudEvent = CloudEvent> = (
  event: Event,
  context: TransactionContext,
) => Promise<void>
export type StepsHandler<Event extends CloudEvent = CloudEvent> = (event: Event, context: StepsContext) => Promise<void>
