// A Postgres server of the benchmark's own, with fsync as in production, and the schema in it. PG_BIN names other programs than the
// packaged ones, which are built to be small.

import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../../local/postgres/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, migrate, type Database } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { projectCache, projectRoot } from '../../support/places.ts'
import { effectTable } from './ledgers.ts'

const log = createLogger({ function: 'bench', level: 'silent' })

export async function startDurablePostgres(): Promise<
  { readonly url: string; readonly port: number } & AsyncDisposable
> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-bench-')))
  chmodSync(folder, 0o711) // root lends the folder in it to another account
  const binDir = process.env['PG_BIN'] ?? ''
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'pg'),
    cacheDir: projectCache,
    stopTimeoutMs: 5_000,
    binDir: binDir === '' ? undefined : binDir,
  })
  const database = await openDatabase(server.url)
  await migrate(database, { directory: join(projectRoot, 'schemas', 'database'), log })
  await database.query(effectTable)
  await database.stop()
  return {
    url: server.url,
    port: server.port,
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function openDatabase(url: string): Promise<Database> {
  const limits = { poolSize: 1, statementTimeoutMs: 60_000, lockTimeoutMs: 60_000 }
  const database = createDatabase({ url: secret(url), applicationName: 'bench', ...limits }, { log, clock })
  await database.start(AbortSignal.timeout(30_000))
  return database
}
