// The Postgres server of a test run, and databases made from a template that has all migrations applied.

import { mkdtempSync, rmSync, chmodSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../local/postgres/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, migrate } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { projectCache, projectRoot } from '../places.ts'

export interface NamedDatabase {
  readonly name: string
  readonly url: string
}

export interface PostgresService {
  /** A new database: with all migrations of schemas/database applied, or empty. */
  createDatabase(options: { readonly migrated: boolean }): Promise<NamedDatabase>
  dropDatabase(name: string): Promise<void>
  stop(): Promise<void>
}

/** A server in a temporary folder, without fsync. PG_BIN names other programs than the packaged ones. */
export async function startTemporaryPostgres(): Promise<EmbeddedPostgres> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-postgres-')))
  chmodSync(folder, 0o711)
  const binDir = process.env['PG_BIN'] ?? ''
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'pg'),
    cacheDir: projectCache,
    fsync: false,
    maxConnections: 400,
    stopTimeoutMs: 5_000,
    binDir: binDir === '' ? undefined : binDir,
  })
  return {
    ...server,
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function startPostgresService(): Promise<PostgresService> {
  const server = await startTemporaryPostgres()
  // One connection: databases are made one after the other, whoever asks at once.
  const pool = new pg.Pool({ connectionString: server.url, max: 1, idleTimeoutMillis: 0 })
  pool.on('error', () => {}) // the server goes first when a run is cut short
  let last = 0
  let template: Promise<string> | undefined

  const urlOf = (name: string): string => server.url.replace(/\/[^/]*$/, `/${name}`)
  const create = async (from: string): Promise<NamedDatabase> => {
    const name = `test_${(last += 1)}`
    await pool.query(`CREATE DATABASE ${name} TEMPLATE ${from} STRATEGY file_copy`)
    return { name, url: urlOf(name) }
  }
  const buildTemplate = async (): Promise<string> => {
    const { name, url } = await create('template1')
    await applyMigrations(url)
    return name
  }
  return {
    createDatabase: async ({ migrated }) => create(migrated ? await (template ??= buildTemplate()) : 'template1'),
    dropDatabase: async (name) => {
      await pool.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`)
    },
    stop: async () => {
      await pool.end()
      await server.stop()
    },
  }
}

async function applyMigrations(url: string): Promise<void> {
  const log = createLogger({ function: 'test', level: 'silent' })
  const database = createDatabase(
    {
      url: secret(url),
      applicationName: 'test-template',
      poolSize: 1,
      statementTimeoutMs: 60_000,
      lockTimeoutMs: 60_000,
    },
    { log, clock: systemClock },
  )
  await database.start(AbortSignal.timeout(30_000))
  try {
    await migrate(database, { directory: join(projectRoot, 'schemas', 'database'), log })
  } finally {
    await database.stop()
  }
}
