// Key-value and channels on Postgres, with the sweep that deletes what has expired.

import type { Database } from '../../database/index.ts'
import { messageOf, SluiceError, sqlState } from '../../errors/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { KeyValueStore } from '../key-value.ts'
import { createPostgresChannel } from './postgres-channel.ts'
import { createPostgresValues } from './postgres-values.ts'
import { coded } from './store-error.ts'

export interface PostgresKeyValueOptions {
  /** How often expired rows are deleted, in milliseconds. Default 30,000. */
  readonly sweepMs?: number
}

export interface PostgresKeyValueDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
}

// SKIP LOCKED: sweeps of several processes share the work instead of waiting for each other.
const sweepValues = `
  DELETE FROM sluice.key_value WHERE key IN (
    SELECT key FROM sluice.key_value WHERE expires_at <= now() LIMIT 5000 FOR UPDATE SKIP LOCKED)`
const sweepMessages = `
  DELETE FROM sluice.channel_message WHERE id IN (
    SELECT id FROM sluice.channel_message WHERE at < now() - interval '1 minute' LIMIT 5000 FOR UPDATE SKIP LOCKED)`

export function createPostgresKeyValue(
  { sweepMs = 30_000 }: PostgresKeyValueOptions,
  { database, clock, log }: PostgresKeyValueDeps,
): KeyValueStore {
  const channel = createPostgresChannel({ database, log })
  let next = { cancel: (): void => undefined }
  let sweeping: Promise<void> = Promise.resolve()
  let stopped = false

  function schedule(): void {
    next = clock.after(sweepMs, startSweep, { unref: true })
  }

  function startSweep(): void {
    sweeping = sweep()
  }

  async function sweep(): Promise<void> {
    try {
      await database.query(sweepValues)
      await database.query(sweepMessages)
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'the sweep of expired values failed; the next one takes them')
    }
    if (!stopped) schedule()
  }

  async function start(): Promise<void> {
    try {
      await coded(database.query('SELECT FROM sluice.key_value LIMIT 1'))
    } catch (error) {
      if (sqlState(error) !== '42P01') throw error
      throw new SluiceError(
        'start_failed',
        'The tables of the key-value store are missing: apply the migrations first',
        { cause: error },
      )
    }
    schedule()
  }

  async function stop(): Promise<void> {
    stopped = true
    next.cancel()
    await sweeping
    await channel.stop()
  }

  const component = {
    name: 'key-value',
    start,
    stop,
    health: () => database.health(),
    probe: (signal: AbortSignal) => database.probe(signal),
  }
  return { keyValue: createPostgresValues({ database }), channel, component }
}
