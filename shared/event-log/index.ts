export type { AppendRecord, EventLog, LogRecord, Position, ReadOptions, TopicDeclaration } from './event-log.ts'
export { createEventLog, type EventLogDeps } from './create-event-log.ts'
export { createKafkaEventLog, type KafkaEventLogDeps, type KafkaEventLogOptions } from './kafka/kafka-event-log.ts'
export { partitionOfKey } from './partition-of-key.ts'
export {
  createPostgresEventLog,
  type PostgresEventLogDeps,
  type PostgresEventLogOptions,
} from './postgres/postgres-event-log.ts'
export { prunePostgresEventLog, type PruneOptions } from './postgres/prune-records.ts'
export { maxRecordBytes, recordBytes } from './record-limits.ts'
