export type { AppendRecord, EventLog, LogRecord, Position, ReadOptions, TopicDeclaration } from './event-log.ts'
export { maxRecordBytes, recordBytes } from './record-limits.ts'
export {
  createPostgresEventLog,
  type PostgresEventLogDeps,
  type PostgresEventLogOptions,
} from './postgres/postgres-event-log.ts'
export { prunePostgresEventLog, type PruneOptions } from './postgres/prune-records.ts'
