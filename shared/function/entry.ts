// The way into a function: its server, made from the kind of the contract and the behaviour that the composition gave.

import { compose, type Composed } from './compose.ts'
import type { HttpContext, Behaviour, Routes, Surroundings } from './composition.ts'
import type { AnyFunction, HttpFunction } from './contract.ts'
import type { Adapters } from './adapters.ts'
import type { Outbox } from '../delivery/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { Component } from '../lifecycle/index.ts'
import type { Health } from './operations/health.ts'
import type { OverloadGuard } from './receiver/overload-guard.ts'
import { createEventServer } from './receiver/event-server.ts'
import type { DrainedWork } from './receiver/drained-work.ts'
import { createWork } from './work.ts'
import { createTickServer, type TickHandler } from './receiver/tick-server.ts'

/** What every server of a function can do. */
export interface FunctionServer extends Component {
  port(): number
  drain(signal: AbortSignal): Promise<DrainedWork>
  closeStreams(): Promise<void>
  unfinished(): readonly string[]
  /** Are all places taken, and none was given back for longer than any run may take? */
  jammed?(): boolean
}

export interface Entry {
  readonly server: FunctionServer
  readonly components: readonly Component[]
  readonly loops: readonly Component[]
  /** Its stop() publishes what this process has stored and not yet published. */
  readonly outbox?: Outbox
}

export interface EntryDeps {
  readonly adapters: Adapters
  readonly surroundings: Surroundings
  readonly health: Pick<Health, 'answer'>
  readonly guard: Pick<OverloadGuard, 'sheds'>
  readonly options: { readonly host: string; readonly port: number }
}

type ServerContext = Omit<HttpContext, 'openStream'>

export async function composeEntry<F extends AnyFunction>(
  definition: F,
  behaviour: Behaviour<F>,
  deps: EntryDeps,
): Promise<Entry> {
  const { adapters, surroundings } = deps
  const composed = await compose(behaviour, adapters, surroundings)
  const { components = [], loops = [] } = composed
  const server = await createServer(definition, composed, deps)
  const { outbox } = adapters
  return outbox === undefined ? { server, components, loops } : { server, components, loops, outbox }
}

async function createServer(
  definition: AnyFunction,
  { handler, routes }: Composed,
  deps: EntryDeps,
): Promise<FunctionServer> {
  const { surroundings, health, options, guard } = deps
  const { clock, log, instruments, tracer } = surroundings
  const common = { clock, log, instruments, tracer, health, guard }
  if (definition.kind === 'http') {
    const { createHttpFunctionServer } = await import('./http/http-function-server.ts') // Fastify, only where it serves
    const context = await httpContext(definition, deps)
    return createHttpFunctionServer(definition, options, { ...common, context, routes: routes as Routes })
  }
  if (definition.kind === 'scheduled') {
    return withoutStreams(createTickServer(definition, options, { ...common, handler: handler as TickHandler }))
  }
  const work = await createWork(definition, handler, deps)
  return withoutStreams(createEventServer(definition, options, { ...common, work }))
}

const withoutStreams = (server: Omit<FunctionServer, 'closeStreams'>): FunctionServer => ({
  ...server,
  closeStreams: async () => undefined,
})

async function httpContext(definition: HttpFunction, { adapters, surroundings }: EntryDeps): Promise<ServerContext> {
  const { log, draining } = surroundings
  const { database, outbox, backlog } = adapters
  if (database === undefined || outbox === undefined) return { log, draining, transaction: refuseTransaction }
  const { createTransactional } = await import('../delivery/index.ts')
  const { transaction } = createTransactional(definition, { ...surroundings, database, outbox })
  return {
    log,
    draining,
    transaction: async (work, options) => {
      await backlog?.admit()
      return transaction(work, options)
    },
  }
}

const refuseTransaction = async (): Promise<never> => {
  throw new SluiceError('start_failed', "the function has no database; add 'postgres' to its needs")
}
