// The adapters that a function's `needs` name, made from the configuration. Modules are loaded only when they are needed:
// what a process loads decides how fast it starts, and a stateless function starts without a database driver.

import type { Secret } from '../config/index.ts'
import type { Database } from '../database/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { EventLog } from '../event-log/index.ts'
import type { Channel, KeyValue } from '../key-value/index.ts'
import type { Component } from '../lifecycle/index.ts'
import type { ModelClient } from '../model/index.ts'
import { createSchemaCheck } from './check-schema.ts'
import type { Surroundings } from './composition.ts'
import type { AnyFunction } from './define-http-function.ts'
import type { Probe } from './operations/health.ts'

export interface Adapters {
  readonly database?: Database
  readonly eventLog?: EventLog
  readonly keyValue?: KeyValue
  readonly channel?: Channel
  readonly model?: ModelClient
  /** In the order of their start. */
  readonly components: readonly Component[]
  readonly probes: readonly Probe[]
}

type Parts = { -readonly [K in keyof Adapters]: Adapters[K] } & { components: Component[]; probes: Probe[] }

export async function createAdapters({ name, needs }: AnyFunction, surroundings: Surroundings): Promise<Adapters> {
  const parts: Parts = { components: [], probes: [] }
  if (needs.includes('postgres')) await addDatabase(name, parts, surroundings)
  if (needs.includes('model')) await addModel(parts, surroundings)
  return parts
}

async function addDatabase(name: string, parts: Parts, { config, log, clock }: Surroundings): Promise<void> {
  const { createDatabase } = await import('../database/index.ts')
  const { databasePoolSize: poolSize, statementTimeoutMs, lockTimeoutMs } = config
  const url = required(config.databaseUrl, 'DATABASE_URL', 'Postgres')
  const database = createDatabase(
    { url, poolSize, statementTimeoutMs, lockTimeoutMs, applicationName: name },
    { log, clock },
  )
  parts.database = database
  parts.components.push(database, createSchemaCheck(database))
  parts.probes.push({ name: 'postgres', check: async () => void (await database.query('SELECT 1')) })
}

// A thinking model may be silent for long before its first token, but not between two chunks.
const modelTimeouts = { connectMs: 5_000, firstTokenMs: 60_000, idleMs: 30_000, totalMs: 300_000 }

async function addModel(parts: Parts, { config, log, clock, instruments, random }: Surroundings): Promise<void> {
  const { createModelClient } = await import('../model/index.ts')
  const { modelBaseUrl: baseUrl, modelApiKey: apiKey } = config
  if (baseUrl === '') throw missing('MODEL_BASE_URL', 'a model')
  const model = createModelClient({ baseUrl, apiKey, timeouts: modelTimeouts }, { clock, log, instruments, random })
  parts.model = model
  // No probe: a model that is down opens its breaker, and an unready function could not even take events in.
  parts.components.push(model)
}

function required(value: Secret<string> | undefined, variable: string, what: string): Secret<string> {
  if (value === undefined) throw missing(variable, what)
  return value
}

const missing = (variable: string, what: string): SluiceError =>
  new SluiceError('invalid_option', `the function needs ${what}, but ${variable} is not set`)
