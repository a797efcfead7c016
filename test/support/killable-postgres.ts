// A Postgres server to be killed: it keeps its port and its data over its deaths. With fsync: without, a kill would lose what
// was committed.

import { chmodSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../local/postgres/index.ts'
import { allotPorts } from '../../local/runner/index.ts'
import { projectCache } from './places.ts'

export interface KillablePostgres {
  readonly url: string
  readonly port: number
  readonly pid: () => number
  /** As `pg_ctl stop -m immediate`; resolves when it is gone. */
  kill(): Promise<void>
  /** After kill(), with recovery. */
  startAgain(): Promise<void>
  stop(): Promise<void>
}

/** `folder` holds its data, and is made where it is missing. What is in it is gone on with. */
export async function startKillablePostgres(
  folder: string,
  { maxConnections }: { readonly maxConnections: number },
): Promise<KillablePostgres> {
  mkdirSync(folder, { recursive: true })
  const real = realpathSync(folder)
  chmodSync(real, 0o711) // other accounts pass through: the server may run as one
  const [port = 0] = await allotPorts(1)
  const options = { dataDir: join(real, 'pg'), cacheDir: projectCache, maxConnections, stopTimeoutMs: 10_000, port }
  let server = await startEmbeddedPostgres(options)
  return {
    url: server.url,
    port,
    pid: () => server.pid,
    kill: async () => {
      process.kill(server.pid, 'SIGQUIT')
      await server.exited
    },
    startAgain: async () => {
      server = await startEmbeddedPostgres(options)
    },
    stop: () => server.stop(),
  }
}
