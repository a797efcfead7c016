// The database and the event log for commands: those that the environment names, else those of the running platform.

import { loadConfig, type Config } from '../shared/config/index.ts'
import { createDatabase, type Database } from '../shared/database/index.ts'
import { createEventLog, type EventLog } from '../shared/event-log/index.ts'
import { createLogger } from '../shared/telemetry/index.ts'
import { systemClock as clock } from '../shared/time/index.ts'
import { environment } from './environment.ts'
import { runningPlatform } from './find-platform.ts'

const databaseOptions = { poolSize: 2, statementTimeoutMs: 30_000, lockTimeoutMs: 5_000, applicationName: 'sluice-cli' }

/** Commands speak by what they print. */
export const log = createLogger({ function: 'cli', level: 'silent' })

/** @throws SluiceError `not_found` when nothing is named and no platform runs. */
export async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const { databaseUrl } = storesConfig()
  if (databaseUrl === undefined) throw new TypeError('a platform always has a database')
  const database = createDatabase({ ...databaseOptions, url: databaseUrl }, { log, clock })
  await database.start(AbortSignal.timeout(30_000))
  try {
    return await work(database)
  } finally {
    await database.stop()
  }
}

/** Kafka needs no database beside it. @throws SluiceError `not_found` when nothing is named and no platform runs. */
export async function withEventLog<T>(work: (eventLog: EventLog) => Promise<T>): Promise<T> {
  const config = loadConfig(environment)
  if (config.kafkaBrokers.length === 0) return withStores(({ eventLog }) => work(eventLog))
  return useEventLog(createEventLog(config, { clock, log, name: 'sluice-cli' }), work)
}

async function useEventLog<T>(eventLog: EventLog, work: (eventLog: EventLog) => Promise<T>): Promise<T> {
  await eventLog.start(AbortSignal.timeout(30_000))
  try {
    return await work(eventLog)
  } finally {
    await eventLog.stop()
  }
}

export interface Stores {
  readonly database: Database
  readonly eventLog: EventLog
}

/** @throws SluiceError `not_found` when nothing is named and no platform runs. */
export async function withStores<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
  return withDatabase(async (database) => {
    const eventLog = createEventLog(storesConfig(), { database, clock, log, name: 'sluice-cli' })
    return useEventLog(eventLog, () => work({ database, eventLog }))
  })
}

function storesConfig(): Config {
  const config = loadConfig(environment)
  if (config.databaseUrl !== undefined) return config
  const { databaseUrl = '', kafkaBrokers = [] } = runningPlatform()
  return loadConfig({ ...environment, DATABASE_URL: databaseUrl, KAFKA_BROKERS: kafkaBrokers.join(',') })
}
