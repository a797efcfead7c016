// The types of a handler, all inferred from the contract: the event is the union of what is consumed, narrowed by
// `event.type`; the context follows from the execution.

import type { StepsContext, TransactionContext } from '../delivery/index.ts'
import type { CloudEvent, EventType } from '../events/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { AnyEvent, Consumption, EventFunction, Execution, ScheduledFunction } from './contract.ts'

/** Context of a handler that keeps no state here: delivery is at least once, so the handler must be idempotent. */
export interface StatelessContext {
  readonly log: Logger
  /** Aborts when the deadline passes, the caller goes away, or a drain runs out of time. */
  readonly signal: AbortSignal
  readonly delivery: { readonly topic?: string; readonly key: string; readonly source: string; readonly id: string }
}

/** Context of a tick. `signal` aborts when `budgetMs` is spent. */
export interface TickContext {
  readonly log: Logger
  readonly signal: AbortSignal
  /** Milliseconds left of the budget. */
  remainingMs(): number
}

/** What a PingSource sends. */
export type Tick = CloudEvent<'dev.knative.sources.ping'>

type EventOfType<T> = T extends EventType<infer Type, infer Data> ? CloudEvent<Type, Data> : never
type EventOfConsumption<T> = T extends Consumption<infer E> ? EventOfType<E> : never

/** The union of the events that the function consumes. */
export type EventOf<F> =
  F extends EventFunction<infer C>
    ? C extends AnyEvent
      ? CloudEvent
      : C extends readonly Consumption[]
        ? EventOfConsumption<C[number]>
        : never
    : F extends ScheduledFunction
      ? Tick
      : never

interface Contexts {
  readonly transaction: TransactionContext
  readonly steps: StepsContext
  readonly stateless: StatelessContext
}

/** The context that the function's execution gives. */
export type ContextOf<F> = F extends { readonly kind: 'scheduled' }
  ? TickContext
  : F extends { readonly execution: infer E extends Execution }
    ? Contexts[E]
    : never

/** The behaviour of the function `F`: `Handler<typeof memoryReplicator>`. Return means delivered, a throw is classified. */
export type Handler<F> = (event: EventOf<F>, context: ContextOf<F>) => Promise<void>
