// The servers that tests share, each started when it is first asked for and once only.

import type { Found } from './found.ts'
import { findKafka, type KafkaServer } from './kafka/find-kafka.ts'
import { startPostgresService, type NamedDatabase, type PostgresService } from './postgres.ts'
import { findRedis, type RedisServer } from './redis.ts'

export interface TestServices {
  createDatabase(options: { readonly migrated: boolean }): Promise<NamedDatabase>
  dropDatabase(options: { readonly name: string }): Promise<void>
  kafka(): Promise<Found<{ readonly brokers: string }>>
  redis(): Promise<Found<{ readonly url: string }>>
}

export function createTestServices(): TestServices & { stop(): Promise<void> } {
  let postgres: Promise<PostgresService> | undefined
  let kafka: Promise<Found<KafkaServer>> | undefined
  let redis: Promise<Found<RedisServer>> | undefined
  const started = (): Promise<PostgresService> => (postgres ??= startPostgresService())
  return {
    createDatabase: async (options) => (await started()).createDatabase(options),
    dropDatabase: async ({ name }) => (await started()).dropDatabase(name),
    kafka: () => (kafka ??= findKafka()),
    redis: () => (redis ??= findRedis()),
    stop: async () => {
      const stops = [postgres, kafka, redis].map(async (server) => {
        const found = await server?.catch(() => undefined)
        if (found !== undefined && 'stop' in found) await found.stop()
      })
      await Promise.all(stops)
    },
  }
}
