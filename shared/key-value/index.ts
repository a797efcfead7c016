export type { Channel, KeyValue, KeyValueStore, Lifetime } from './key-value.ts'
export { createKeyValue, type KeyValueDeps } from './create-key-value.ts'
export { maxKeyBytes, maxMessageBytes, maxValueBytes } from './limits.ts'
export {
  createPostgresKeyValue,
  type PostgresKeyValueDeps,
  type PostgresKeyValueOptions,
} from './postgres/postgres-key-value.ts'
export { createRedisKeyValue, type RedisKeyValueDeps, type RedisKeyValueOptions } from './redis/redis-key-value.ts'
