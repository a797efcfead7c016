// The contract of an event function or a scheduled function: declarative, no I/O, safe to import anywhere. Runtime
// pipeline, topics, delivery, probes, scaling and manifests follow from it, so what does not fit is refused here.
//
// D1  Every consumed type is carried by the topic it is consumed from, and no (topic, type) pair is named twice.
// D2  `transaction` and `steps` keep their state in Postgres, so they name it in `needs`.
// D3  Only a `stateless` function may consume `anyEvent`, and then nothing else.

import type { EventType, Topic } from '../events/index.ts'
import type { BackoffOptions } from '../time/index.ts'
import {
  checkConsumes,
  checkDelivery,
  checkIdentity,
  checkNeeds,
  checkSchedule,
  checkScale,
} from './definition-checks.ts'

/** What a function cannot work without. Becomes readiness probes, adapters and the environment of the manifest. */
export type Need = 'postgres' | 'kafka' | 'redis' | 'model'

export type Execution = 'transaction' | 'steps' | 'stateless'

/** One event type on one topic. */
export interface Consumption<E extends EventType = EventType> {
  readonly topic: Topic
  readonly type: E
}

/** In place of `consumes`: any CloudEvent, without a schema. For webhooks and foreign events; its data is `unknown`. */
export const anyEvent = Object.freeze({ any: true as const })
export type AnyEvent = typeof anyEvent

export interface Scale {
  /** Instances kept when idle; 0 lets the function sleep. */
  readonly min: number
  readonly max: number
  /** Events or requests one process works on at once. More wait in a short queue, beyond it 503. */
  readonly concurrency: number
}

export interface DeliveryBudget {
  /** Runs of one event before it becomes a dead letter, the first included. */
  readonly attempts: number
  readonly backoff: BackoffOptions
  /** `dead-letter` (default): the lane goes on without it. `hold`: it keeps its place and the lane waits for a person. */
  readonly onExhausted?: 'dead-letter' | 'hold'
  /** Longest run of the handler, in milliseconds. Must stay below the KafkaSource's delivery.timeout. */
  readonly timeoutMs: number
}

export const defaultDelivery: DeliveryBudget = {
  attempts: 8,
  backoff: { firstMs: 200, maxMs: 60_000 },
  timeoutMs: 10_000,
}

interface Identity<N extends readonly Need[]> {
  /** Kebab-case. Names the folder, the Knative Service, the metric label and the log field. */
  readonly name: string
  /** One sentence for readers of manifests and dashboards. */
  readonly purpose: string
  readonly needs: N
  readonly scale: Scale
}

export interface EventFunctionContract<
  C extends Consumes,
  E extends Execution,
  N extends readonly Need[],
> extends Identity<N> {
  readonly consumes: C
  readonly produces: readonly Consumption[]
  readonly execution: E
  /** `key`: events of one key run one at a time in the source's order. `none`: every event is its own lane. */
  readonly ordering: 'key' | 'none'
  readonly delivery?: DeliveryBudget
}

export type Consumes = readonly Consumption[] | AnyEvent

export interface EventFunction<
  C extends Consumes = Consumes,
  E extends Execution = Execution,
  N extends readonly Need[] = readonly Need[],
> extends EventFunctionContract<C, E, N> {
  readonly kind: 'event'
  readonly delivery: DeliveryBudget
}

export interface ScheduledFunctionContract<N extends readonly Need[] = readonly Need[]> extends Identity<N> {
  /** Five cron fields, UTC. Becomes a PingSource. */
  readonly schedule: string
  /** Longest run of one tick, in milliseconds; below the period, so that ticks do not pile up. */
  readonly budgetMs: number
  readonly produces?: readonly Consumption[]
}

/** Runs on each tick of its schedule, one tick at a time per process. A tick is no delivery: a lost one is made up by the next. */
export interface ScheduledFunction<N extends readonly Need[] = readonly Need[]> extends ScheduledFunctionContract<N> {
  readonly kind: 'scheduled'
  readonly produces: readonly Consumption[]
}

/** @throws SluiceError `invalid_definition`, naming the function, the field and the remedy. */
export function defineFunction<const N extends readonly Need[]>(
  contract: ScheduledFunctionContract<N>,
): ScheduledFunction<N>
export function defineFunction<const C extends Consumes, E extends Execution, const N extends readonly Need[]>(
  contract: EventFunctionContract<C, E, N>,
): EventFunction<C, E, N>
export function defineFunction(
  contract: ScheduledFunctionContract | EventFunctionContract<Consumes, Execution, readonly Need[]>,
): ScheduledFunction | EventFunction {
  checkIdentity(contract)
  checkScale(contract)
  if ('schedule' in contract) {
    checkSchedule(contract)
    return Object.freeze({ kind: 'scheduled', produces: [], ...contract })
  }
  const definition: EventFunction = { kind: 'event', ...contract, delivery: contract.delivery ?? defaultDelivery }
  checkConsumes(definition)
  checkNeeds(definition)
  checkDelivery(definition)
  return Object.freeze(definition)
}
