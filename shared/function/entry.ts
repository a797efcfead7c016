// The way into a function: its server, made from the kind of the contract and the behaviour that the composition gave.

import type { HttpContext, Behaviour, Routes, Surroundings } from './composition.ts'
import type { EventFunction } from './define-function.ts'
import type { AnyFunction } from './define-http-function.ts'
import type { Adapters } from './adapters.ts'
import { SluiceError } from '../errors/index.ts'
import type { Component } from '../lifecycle/index.ts'
import { createHttpFunctionServer } from './http/http-function-server.ts'
import type { Health } from './operations/health.ts'
import { createEventServer, type StatelessHandler, type Work } from './receiver/event-server.ts'
import type { DrainedWork } from './receiver/in-flight.ts'
import { createTickServer, type TickHandler } from './receiver/tick-server.ts'

/** What every server of a function can do. */
export interface FunctionServer extends Component {
  port(): number
  drain(signal: AbortSignal): Promise<DrainedWork>
  closeStreams(): Promise<void>
  unfinished(): readonly string[]
}

export interface Entry {
  readonly server: FunctionServer
  readonly components: readonly Component[]
  readonly loops: readonly Component[]
  /** Publishes what this process has stored and not yet published. */
  readonly outbox?: { flush(): Promise<number> }
}

export interface EntryDeps {
  readonly adapters: Adapters
  readonly surroundings: Surroundings
  readonly health: Pick<Health, 'answer'>
  readonly options: { readonly host: string; readonly port: number }
}

/** The types of a behaviour depend on its function; here, where all kinds meet, they are told apart by the contract's kind. */
interface Composed {
  readonly handler?: unknown
  readonly routes?: unknown
  readonly components?: readonly Component[]
  readonly loops?: readonly Component[]
}

export async function composeEntry<F extends AnyFunction>(
  definition: F,
  behaviour: Behaviour<F>,
  deps: EntryDeps,
): Promise<Entry> {
  const { adapters, surroundings } = deps
  const composed = await compose(behaviour, { ...adapters, ...surroundings })
  const { components = [], loops = [] } = composed
  return { server: await createServer(definition, composed, deps), components, loops }
}

async function compose(behaviour: unknown, resources: object): Promise<Composed> {
  if (typeof behaviour === 'function') return { handler: behaviour, routes: behaviour }
  return (behaviour as { compose(resources: object): Composed | Promise<Composed> }).compose(resources)
}

async function createServer(
  definition: AnyFunction,
  { handler, routes }: Composed,
  deps: EntryDeps,
): Promise<FunctionServer> {
  const { surroundings, health, options } = deps
  const { clock, log, instruments } = surroundings
  const common = { clock, log, instruments, health }
  if (definition.kind === 'http') {
    return createHttpFunctionServer(definition, options, {
      ...common,
      context: httpContext(deps),
      routes: routes as Routes,
    })
  }
  if (definition.kind === 'scheduled') {
    return withoutStreams(createTickServer(definition, options, { ...common, handler: handler as TickHandler }))
  }
  const work = await workOf(definition, handler, deps)
  return withoutStreams(createEventServer(definition, options, { ...common, work }))
}

const withoutStreams = (server: Omit<FunctionServer, 'closeStreams'>): FunctionServer => ({
  ...server,
  closeStreams: async () => undefined,
})

async function workOf({ execution, name }: EventFunction, handler: unknown, _deps: EntryDeps): Promise<Work> {
  if (execution === 'stateless') return { kind: 'stateless', handler: handler as StatelessHandler }
  throw new SluiceError('start_failed', `${name}: delivery is not here yet`)
}

function httpContext({ surroundings: { log, draining } }: EntryDeps): Omit<HttpContext, 'openStream'> {
  return {
    log,
    draining,
    transaction: async () => {
      throw new SluiceError('start_failed', "the function has no database; add 'postgres' to its needs")
    },
  }
}
