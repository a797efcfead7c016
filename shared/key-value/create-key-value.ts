// Chooses the adapter: Redis when REDIS_URL is set, else Postgres.

import type { Config } from '../config/index.ts'
import type { Database } from '../database/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { KeyValueStore } from './key-value.ts'
import { createPostgresKeyValue } from './postgres/postgres-key-value.ts'
import { createRedisKeyValue } from './redis/redis-key-value.ts'

export interface KeyValueDeps {
  /** Needed without Redis. */
  readonly database?: Database | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Name of the process at the store. */
  readonly name: string
}

export function createKeyValue({ redisUrl }: Pick<Config, 'redisUrl'>, deps: KeyValueDeps): KeyValueStore {
  const { database, clock, log, name } = deps
  if (redisUrl !== undefined) return createRedisKeyValue({ url: redisUrl, connectionName: name }, { clock, log })
  if (database !== undefined) return createPostgresKeyValue({}, { database, clock, log })
  throw new SluiceError('invalid_option', 'Key-value needs REDIS_URL, or DATABASE_URL to live in Postgres')
}
