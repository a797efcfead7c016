export { createDatabase, idleInTransactionMs, type DatabaseDeps, type DatabaseOptions } from './database.ts'
export { migrate, type AppliedMigration, type MigrateOptions } from './migrate.ts'
export { notifyPayloadBytes } from './notifier.ts'
export type {
  Database,
  PreparedStatement,
  Queryable,
  QueryAnswer,
  Row,
  Subscription,
  Transaction,
  TransactionOptions,
} from './queryable.ts'
