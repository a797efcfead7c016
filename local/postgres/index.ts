export {
  eraseEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './embedded-postgres.ts'
export { type Account } from './account.ts'
export { type Binaries } from './binaries.ts'
