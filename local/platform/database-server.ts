// The platform's Postgres: the embedded one, or the one that DATABASE_URL names.

import { join } from 'node:path'
import { secret, type Config, type Secret } from '../../shared/config/index.ts'
import { eraseEmbeddedPostgres, startEmbeddedPostgres } from '../postgres/index.ts'
import { openLogFile } from '../runner/index.ts'

export interface PlatformPostgres {
  readonly url: Secret<string>
  /** Absent when DATABASE_URL names a server. */
  readonly embedded?: { readonly version: string; readonly dataDir: string; readonly exited: Promise<number> }
  stop(): Promise<void>
}

export interface PostgresPlaces {
  readonly root: string
  readonly home: string
}

const places = ({ root, home }: PostgresPlaces): { readonly dataDir: string; readonly cacheDir: string } => ({
  dataDir: join(home, 'postgres'),
  cacheDir: join(root, '.cache'),
})

export async function startPostgres(
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  { fsync, ...where }: PostgresPlaces & { readonly fsync: boolean },
): Promise<PlatformPostgres> {
  if (databaseUrl !== undefined) return { url: databaseUrl, stop: () => Promise.resolve() }
  const log = openLogFile(join(where.home, 'logs', 'postgres.log'))
  const server = await startEmbeddedPostgres({ ...places(where), database: 'sluice', fsync, log: log.write })
  const { dataDir, exited, binaries } = server
  return {
    url: secret(server.url),
    embedded: { version: binaries.version, dataDir, exited },
    stop: async () => {
      await server.stop()
      log.close()
    },
  }
}

/** Removes the data of the embedded server, which must not be running. */
export const erasePostgres = (where: PostgresPlaces): Promise<void> => eraseEmbeddedPostgres(places(where))
