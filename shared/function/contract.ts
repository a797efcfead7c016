// What the contract of a function says: an event function's, a scheduled one's, an HTTP function's. Types, and the marks of any
// event; what makes contracts, what checks them and what works by them meet here.

import type { EventType, Topic } from '../events/index.ts'
import type { BackoffOptions } from '../time/index.ts'

/** What a function cannot work without. Becomes readiness probes, adapters and the environment of the manifest. */
export type Need = 'postgres' | 'kafka' | 'redis' | 'model'

/** What a function works with where it is there, and goes on without. Becomes environment of the manifest. */
export type Use = 'memory'

export type Execution = 'transaction' | 'steps' | 'stateless'

/** One event type on one topic. */
export interface Consumption<E extends EventType = EventType> {
  readonly topic: Topic
  readonly type: E
}

/** In place of `consumes`: any CloudEvent, without a schema. For webhooks and foreign events; its data is `unknown`. */
export interface AnyEvent {
  readonly any: true
  /** Where it comes from, when it comes from the log. */
  readonly topics?: readonly Topic[]
}
export const anyEvent: AnyEvent = Object.freeze({ any: true })

/**
 * Any event or record on these topics. For functions that look after what others could not take: no schema, no tenant
 * needed, and each record is an event of its own, whatever its id – two records of one event are two.
 */
export const anyEventOn = (topics: readonly Topic[]): AnyEvent => Object.freeze({ any: true, topics })

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

/**
 * What the KafkaSource in front of the function does while nothing is taken: the net around our own delivery. It covers
 * acceptance only, which takes milliseconds, so whatever it meets is an outage.
 */
export interface SourceBudget {
  /** How long the function and all behind it may be away without one event being given up, in milliseconds. */
  readonly outageMs: number
  /** Wait before the first repeat, in milliseconds. Each further one waits this much longer than the one before. */
  readonly backoffMs: number
  /** Longest wait for an answer, in milliseconds. Acceptance, as the receiver bounds it, must be shorter. */
  readonly timeoutMs: number
}

/** What one instance gets of a machine. */
export interface Size {
  /** Thousandths of a core that are always there. */
  readonly cpuMillicores: number
  /** Thousandths of a core it may use when they are free. */
  readonly cpuLimitMillicores: number
  /** Mebibytes it has and may not exceed. */
  readonly memoryMiB: number
}

/** For a function whose answers may be streams of server-sent events. */
export interface StreamBudget {
  /** A stream ends itself by then, with a hint when to come back, in milliseconds: sooner than Knative would cut it. */
  readonly longestMs: number
  /** Time between two signs of life, in milliseconds: shorter than any idle timeout between it and its client. */
  readonly heartbeatMs: number
}

interface Identity<N extends readonly Need[]> {
  /** Kebab-case. Names the folder, the Knative Service, the metric label and the log field. */
  readonly name: string
  /** One sentence for readers of manifests and dashboards. */
  readonly purpose: string
  readonly needs: N
  readonly uses?: readonly Use[]
  readonly scale: Scale
  readonly size?: Size
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
  readonly source?: Partial<SourceBudget>
}

export type Consumes = readonly Consumption[] | AnyEvent

/** `Array.isArray` alone does not tell a readonly list from the mark. */
export const isAnyEvent = (consumes: Consumes): consumes is AnyEvent => !Array.isArray(consumes)

export interface EventFunction<
  C extends Consumes = Consumes,
  E extends Execution = Execution,
  N extends readonly Need[] = readonly Need[],
> extends EventFunctionContract<C, E, N> {
  readonly kind: 'event'
  readonly delivery: DeliveryBudget
  readonly source: SourceBudget
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

export interface HttpFunctionContract<N extends readonly Need[] = readonly Need[]> extends Identity<N> {
  /** Events its routes may emit through `context.transaction`. */
  readonly produces: readonly Consumption[]
  /** Largest request body, in bytes. */
  readonly bodyBytes?: number
  /** Longest answer of a route, streams apart, in milliseconds. Default 60,000. */
  readonly answerMs?: number
  readonly stream?: StreamBudget
  /** `cluster` (default): for the functions beside it. `public`: for callers outside. */
  readonly exposure?: 'cluster' | 'public'
}

export interface HttpFunction<N extends readonly Need[] = readonly Need[]> extends HttpFunctionContract<N> {
  readonly kind: 'http'
  readonly answerMs: number
}

export type AnyFunction = EventFunction | ScheduledFunction | HttpFunction
