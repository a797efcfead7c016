// The adapters that a function's `needs` name, made from the configuration. Modules are loaded only when they are needed:
// what a process loads decides how fast it starts, and a stateless function starts without a database driver.

import type { Secret } from '../config/index.ts'
import type { Database } from '../database/index.ts'
import type { Backlog, Outbox } from '../delivery/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { EventLog } from '../event-log/index.ts'
import type { Channel, KeyValue } from '../key-value/index.ts'
import { stopTimeoutOf, type Component } from '../lifecycle/index.ts'
import type { ModelClient } from '../model/index.ts'
import type { Circuit } from '../resilience/index.ts'
import { createBackgroundStart } from './background-start.ts'
import { createSchemaCheck } from './check-schema.ts'
import type { Surroundings } from './composition.ts'
import type { AnyFunction, Need } from './contract.ts'
import type { Probe } from './operations/probing.ts'

export interface Adapters {
  readonly database?: Database
  readonly eventLog?: EventLog
  readonly outbox?: Outbox
  /** Of functions whose callers can be told to come again later. */
  readonly backlog?: Backlog
  readonly keyValue?: KeyValue
  readonly channel?: Channel
  readonly model?: ModelClient
  /** Of the dependencies that have one: while it is open, delivery lets the function's events wait. */
  readonly circuits: readonly Circuit[]
  /** In the order of their start. */
  readonly components: readonly Component[]
  readonly probes: readonly Probe[]
}

type Parts = { -readonly [K in keyof Adapters]: Adapters[K] } & {
  circuits: Circuit[]
  components: Component[]
  probes: Probe[]
}

export async function createAdapters(definition: AnyFunction, surroundings: Surroundings): Promise<Adapters> {
  const { needs, produces } = definition
  const parts: Parts = { circuits: [], components: [], probes: [] }
  if (needs.includes('postgres')) await addDatabase(definition, parts, surroundings)
  if (needs.includes('kafka') || (produces.length > 0 && parts.database !== undefined)) {
    await addEventLog(definition, parts, surroundings)
  }
  if (parts.database !== undefined) await addOutbox(definition, parts, { ...surroundings, database: parts.database })
  if (needs.includes('redis')) await addKeyValue(definition, parts, surroundings)
  if (needs.includes('model')) await addModel(parts, surroundings)
  return parts
}

const probeOf = (name: Need, { probe, stop }: Required<Pick<Component, 'probe' | 'stop'>>): Probe => ({
  name,
  needed: true,
  check: (signal) => probe(signal),
  giveUp: () => stop(),
})

async function addDatabase(definition: AnyFunction, parts: Parts, { config, log, clock }: Surroundings): Promise<void> {
  const { createDatabase, idleInTransactionMs } = await import('../database/index.ts')
  const { databasePoolSize: poolSize, statementTimeoutMs, lockTimeoutMs } = config
  const url = required(config.databaseUrl, 'DATABASE_URL', 'Postgres')
  const database = createDatabase(
    {
      url,
      poolSize,
      statementTimeoutMs,
      lockTimeoutMs,
      applicationName: definition.name,
      stopTimeoutMs: stopTimeoutOf(config),
      idleInTransactionTimeoutMs: Math.max(idleInTransactionMs, withinTransactionMs(definition)),
    },
    { log, clock },
  )
  parts.database = database
  parts.components.push(database, createSchemaCheck(database))
  parts.probes.push(probeOf('postgres', database))
}

/** The limit of a handler ends its run before the server ends its transaction. */
const handlerMarginMs = 1_000

/** How long a handler that runs within a transaction may ask others there. */
const withinTransactionMs = (definition: AnyFunction): number =>
  definition.kind === 'event' && definition.execution === 'transaction'
    ? definition.delivery.timeoutMs + handlerMarginMs
    : 0

async function addEventLog(
  { name, needs }: AnyFunction,
  parts: Parts,
  { config, log, clock }: Surroundings,
): Promise<void> {
  const { createEventLog } = await import('../event-log/index.ts')
  const stopTimeoutMs = stopTimeoutOf(config)
  const eventLog = createEventLog(config, { database: parts.database, clock, log, name, stopTimeoutMs })
  parts.eventLog = eventLog
  // With an outbox nothing needs the log at once: what is emitted is kept in Postgres. So a function starts, and takes work,
  // while the log is away; whether it calls itself ready then, its contract says.
  const component = parts.database === undefined ? eventLog : createBackgroundStart(eventLog, { clock, log })
  parts.components.push(component)
  const probe = probeOf('kafka', { stop: component.stop, probe: eventLog.probe })
  parts.probes.push({ ...probe, needed: needs.includes('kafka') })
}

async function addOutbox(
  { kind, produces }: AnyFunction,
  parts: Parts,
  deps: Surroundings & { readonly database: Database },
): Promise<void> {
  const { createBacklog, createOutbox } = await import('../delivery/index.ts')
  const outbox = createOutbox({}, { ...deps, eventLog: parts.eventLog })
  parts.outbox = outbox
  parts.components.push(outbox)
  if (kind !== 'http' || produces.length === 0) return
  const backlog = createBacklog({ most: deps.config.outboxLimit }, deps)
  parts.backlog = backlog
  parts.components.push(backlog)
}

async function addKeyValue({ name }: AnyFunction, parts: Parts, { config, log, clock }: Surroundings): Promise<void> {
  const { createKeyValue } = await import('../key-value/index.ts')
  const { keyValue, channel, component } = createKeyValue(config, { database: parts.database, clock, log, name })
  parts.keyValue = keyValue
  parts.channel = channel
  parts.components.push(component)
  // Not needed to be ready: it holds only what may vanish, and while it is away events are to go on.
  parts.probes.push({ name: 'redis', needed: false, check: (signal) => component.probe(signal) })
}

async function addModel(parts: Parts, { config, tracer, ...deps }: Surroundings): Promise<void> {
  const { createModelClient } = await import('../model/index.ts')
  const { modelBaseUrl: baseUrl, modelApiKey: apiKey } = config
  const timeouts = {
    connectMs: config.modelConnectTimeoutMs,
    firstTokenMs: config.modelFirstTokenTimeoutMs,
    idleMs: config.modelIdleTimeoutMs,
    totalMs: config.modelTotalTimeoutMs,
  }
  if (baseUrl === '') throw missing('MODEL_BASE_URL', 'a model')
  const model = createModelClient({ baseUrl, apiKey, timeouts }, { ...deps, tracer })
  parts.model = model
  parts.circuits.push(model.circuit)
  parts.components.push(model)
  // Not needed to be ready: a model that is down opens its breaker, and an unready function could not even take events in.
  parts.probes.push({ name: 'model', needed: false, check: (signal) => model.probe(signal) })
}

function required(value: Secret<string> | undefined, variable: string, what: string): Secret<string> {
  if (value === undefined) throw missing(variable, what)
  return value
}

const missing = (variable: string, what: string): SluiceError =>
  new SluiceError('invalid_option', `the function needs ${what}, but ${variable} is not set`)
