// What a composition root gets and gives. `serve()` builds the resources that the contract's `needs` name and hands them
// to `compose`, which returns the behaviour and any further components; nothing else is in reach.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config/index.ts'
import type { Outbox, TransactionalRoutes } from '../delivery/index.ts'
import type { Database } from '../database/index.ts'
import type { EventLog } from '../event-log/index.ts'
import type { Channel, KeyValue } from '../key-value/index.ts'
import type { Component, Failpoints } from '../lifecycle/index.ts'
import type { ModelClient } from '../model/index.ts'
import type { Instruments, Logger, Redact, Tracer } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { EventFunction, HttpFunction, Need, ScheduledFunction } from './contract.ts'
import type { Handler } from './handler.ts'

/** What every function has. */
export interface Surroundings {
  readonly config: Config
  readonly log: Logger
  readonly clock: Clock
  readonly instruments: Instruments
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
  /** Takes from a text what must not leave the process. */
  readonly redact: Redact
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly failpoints: Failpoints
  /** Stamped on dead letters. */
  readonly versions: { readonly functionVersion: string; readonly configVersion: string }
  /** Aborts when the drain begins: loops stop claiming work, streams say goodbye. */
  readonly draining: AbortSignal
}

interface ByNeed {
  readonly postgres: { readonly database: Database; readonly outbox: Outbox }
  readonly kafka: { readonly eventLog: EventLog }
  readonly redis: { readonly keyValue: KeyValue; readonly channel: Channel }
  readonly model: { readonly model: ModelClient }
}

type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never
type NeedOf<F> = F extends { readonly needs: readonly (infer N)[] } ? N & Need : never

/** Surroundings and the adapters that the function's `needs` name: `Resources<typeof gateway>`. */
export type Resources<F> = Surroundings & ([NeedOf<F>] extends [never] ? unknown : Intersection<ByNeed[NeedOf<F>]>)

interface Further {
  /** Adapters of the function's own: started after those of `needs`, stopped before them, after the last delivery. */
  readonly components?: readonly Component[]
  /** Parts that take work by themselves: started last, and the first to stop, so that nothing is claimed while draining. */
  readonly loops?: readonly Component[]
}

/** Adds the routes of an HTTP function to its app. */
export type Routes = (app: FastifyInstance, context: HttpContext) => void | Promise<void>

export interface HttpContext {
  readonly log: Logger
  /** Runs work in one transaction whose emitted events are published after COMMIT. Refuses when the function has no Postgres. */
  readonly transaction: TransactionalRoutes['transaction']
  /** Aborts when the drain begins. Streams stay open until it reaches them; see `openStream`. */
  readonly draining: AbortSignal
  /**
   * Declares the request a stream: the drain no longer waits for its end, and calls `close` when all other work is done
   * and flushed, so that its client sees the last events and a retry hint before the connection ends. Does nothing when the
   * client has left already.
   */
  readonly openStream: (request: FastifyRequest, close: () => void | Promise<void>) => void
}

type Awaitable<T> = T | Promise<T>

/** What `serve` takes for an event or scheduled function: a ready handler, or how to make one from the resources. */
export type EventBehaviour<F> =
  | Handler<F>
  | { compose(resources: Resources<F>): Awaitable<{ readonly handler: Handler<F> } & Further> }

/** What `serve` takes for an HTTP function. */
export type HttpBehaviour<F> =
  | Routes
  | { compose(resources: Resources<F>): Awaitable<{ readonly routes: Routes } & Further> }

export type Behaviour<F> = F extends HttpFunction
  ? HttpBehaviour<F>
  : F extends EventFunction | ScheduledFunction
    ? EventBehaviour<F>
    : never
