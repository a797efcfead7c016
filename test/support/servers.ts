// Real servers for test files. Under `npm test` all files share those of the run; a file run alone by `node --test` starts what
// it needs and stops it at its end.

import { randomBytes } from 'node:crypto'
import { after, type TestContext } from 'node:test'
import type { EmbeddedPostgres } from '../../local/postgres/index.ts'
import { atEnd } from './at-end.ts'
import type { Found } from './services/found.ts'
import { findPrometheus, type PrometheusPrograms } from './services/prometheus.ts'
import { startTemporaryPostgres } from './services/postgres.ts'
import { servicesAt } from './services/services-over-http.ts'
import { createTestServices, type TestServices } from './services/services.ts'

export interface TestDatabaseOptions {
  /** False: an empty database, for tests of migrations themselves. Default: true. */
  readonly migrated?: boolean
}

/** The URL of a new database, with all migrations applied. It is dropped, with its connections, at the end of the test. */
export async function createTestDatabase(
  t: TestContext,
  { migrated = true }: TestDatabaseOptions = {},
): Promise<{ readonly url: string }> {
  const { name, url } = await services.createDatabase({ migrated })
  atEnd(t, () => services.dropDatabase({ name }))
  return { url }
}

/** A Postgres server for this test alone, to be killed or stopped at will. */
export async function startPostgresServer(t: TestContext): Promise<EmbeddedPostgres> {
  const server = await startTemporaryPostgres()
  atEnd(t, () => server.stop())
  return server
}

export interface SharedServer {
  /** A name that no other test uses, for topics, groups, keys and channels of a shared server. */
  uniqueName(name: string): string
}

/** A real Kafka broker. Undefined after `t.skip(reason)`: return then. Under CI=true a missing broker fails the test. */
export async function kafkaForTests(
  t: TestContext,
): Promise<(SharedServer & { readonly brokers: string }) | undefined> {
  return usable(t, await services.kafka())
}

/** A real Redis server. Undefined after `t.skip(reason)`: return then. Under CI=true a missing server fails the test. */
export async function redisForTests(t: TestContext): Promise<(SharedServer & { readonly url: string }) | undefined> {
  return usable(t, await services.redis())
}

/** Prometheus and promtool, to be run by the test. Undefined after `t.skip(reason)`: return then. Under CI=true they must be there. */
export async function prometheusForTests(t: TestContext): Promise<PrometheusPrograms | undefined> {
  return usable(t, await findPrometheus())
}

function usable<T>(t: TestContext, found: Found<T>): (SharedServer & T) | undefined {
  if (found.available) return { ...found, uniqueName: (name) => `${name}-${randomBytes(6).toString('hex')}` }
  if (process.env['CI'] === 'true') throw new Error(`CI needs this server: ${found.reason}`)
  t.skip(found.reason)
  return undefined
}

const services = connect()

function connect(): TestServices {
  const url = process.env['TEST_SERVICES_URL'] ?? ''
  if (url !== '') return servicesAt(url)
  const own = createTestServices()
  after(() => own.stop())
  return own
}
