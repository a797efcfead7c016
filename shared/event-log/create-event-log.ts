// Chooses the adapter: Kafka when KAFKA_BROKERS is set, else Postgres.

import type { Config } from '../config/index.ts'
import type { Database } from '../database/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { EventLog } from './event-log.ts'
import { createKafkaEventLog } from './kafka/kafka-event-log.ts'
import { kafkaSecurity } from './kafka/kafka-security.ts'
import { createPostgresEventLog } from './postgres/postgres-event-log.ts'

export interface EventLogDeps {
  /** Needed without Kafka. */
  readonly database?: Database | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Name of the process at the log. */
  readonly name: string
  /** How long it may take to stop, in milliseconds. */
  readonly stopTimeoutMs?: number
}

export type EventLogConfig = Pick<Config, 'kafkaBrokers'> & Parameters<typeof kafkaSecurity>[0]

/** @throws SluiceError `invalid_option` when there is neither Kafka nor a database, or the way in to Kafka is half described. */
export function createEventLog(config: EventLogConfig, deps: EventLogDeps): EventLog {
  const { database, clock, log, name, stopTimeoutMs } = deps
  const { kafkaBrokers: brokers } = config
  if (brokers.length > 0) {
    const security = kafkaSecurity(config)
    const limits = stopTimeoutMs === undefined ? {} : { stopTimeoutMs }
    return createKafkaEventLog({ brokers, clientId: name, security, ...limits }, { clock, log })
  }
  if (database !== undefined) return createPostgresEventLog({}, { database, clock, log })
  throw new SluiceError('invalid_option', 'The event log needs KAFKA_BROKERS, or DATABASE_URL to live in Postgres')
}
