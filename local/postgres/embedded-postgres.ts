// A Postgres server of our own on this machine: npm start and the tests use it, so that a user needs Node and nothing else.
//
//   initialise (once) ──▶ starting ──ready line──▶ running ──stop()──▶ stopped
//                            │                        └── dies ──▶ exited
//                            └── exits early ──▶ SluiceError with the end of its log
//
// E1  It listens on 127.0.0.1 only, with a password; no Unix socket.
// E2  It cannot outlive this process (local/guard).
// E3  Data survives every end: with `fsync` (the default) also that of the machine.

import { createServer } from 'node:net'
import { rm } from 'node:fs/promises'
import pg from 'pg'
import { SluiceError, messageOf } from '../../shared/errors/index.ts'
import { systemClock, type Clock } from '../../shared/time/index.ts'
import { spawnGuarded, type GuardedChild } from '../guard/index.ts'
import { asAccount, serverAccount, type Account } from './account.ts'
import { findBinaries, reachableBinaries, type Binaries } from './binaries.ts'
import { ensureCluster, serverEnvironment, superuser } from './cluster.ts'
import { preparePlaces } from './places.ts'
import { alreadyRunning, refuseSecondServer } from './running-server.ts'

export interface EmbeddedPostgresOptions {
  /** Where the data lives. Created when absent. Run by root, the server may have to use another place: see the result. */
  readonly dataDir: string
  /** Holds the initialised template, shared by all clusters of one version. */
  readonly cacheDir: string
  /** 0, the default, takes a free port. */
  readonly port?: number
  /** Created when absent. Default: postgres. */
  readonly database?: string
  /** Folder of other Postgres programs than the packaged ones. */
  readonly binDir?: string | undefined
  /** Off only where losing the data with the machine does not matter, as in tests. Default: on. */
  readonly fsync?: boolean | undefined
  readonly maxConnections?: number
  /** Longest start in milliseconds, recovery after a crash included. Default: 60,000. */
  readonly startTimeoutMs?: number
  /** Longest polite stop in milliseconds; then the server is killed, and recovers at the next start. Default: 10,000. */
  readonly stopTimeoutMs?: number
  /** Gets each line of the server's log. */
  readonly log?: (line: string) => void
}

export interface EmbeddedPostgres {
  /** postgres://user:password@127.0.0.1:port/database. A secret. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly binaries: Binaries
  /** Where the data really is. */
  readonly dataDir: string
  /** The account that root lent to the server. */
  readonly account: Account | undefined
  /** Resolves with the exit code when the server has ended, by stop() or otherwise. Never rejects. */
  readonly exited: Promise<number>
  /** Ends the server; open connections are cut, transactions under way are rolled back. Any number of calls. */
  stop(): Promise<void>
}

const portTries = 3
const keptLogLines = 20

/** Starts the server and resolves when it takes connections. Throws `port_taken` or `start_failed`, leaving nothing running. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<EmbeddedPostgres> {
  const { port = 0, database = superuser } = options
  const account = serverAccount()
  const { dataDir, cacheDir } = preparePlaces(options, account)
  const binaries = reachableBinaries(findBinaries(options), cacheDir, account)
  const password = await ensureCluster({ dataDir, cacheDir, binaries, account, sync: options.fsync ?? true })
  refuseSecondServer(dataDir)

  for (let tries = 1; ; tries += 1) {
    const chosen = port === 0 ? await freePort() : port
    const launched = await launch({ ...options, dataDir, port: chosen }, { clock, binaries, account })
    if (launched.outcome === 'port-taken') {
      if (port === 0 && tries < portTries) continue // somebody took it between the look and the start
      throw new SluiceError(
        'port_taken',
        `Port ${chosen} is taken, so Postgres cannot listen on it. Free it, or name another port (0: any).`,
      )
    }
    const { child } = launched
    const url = (name: string): string =>
      `postgres://${superuser}:${password}@127.0.0.1:${chosen}/${encodeURIComponent(name)}`
    const stop = async (): Promise<void> => void (await child.stop({ limitMs: options.stopTimeoutMs ?? 10_000 }))
    try {
      await createDatabase(url(superuser), database)
    } catch (error) {
      await stop()
      throw error
    }
    return { url: url(database), port: chosen, pid: child.pid, binaries, dataDir, account, exited: child.exited, stop }
  }
}

/** Deletes the data that a server with these options would use. Refuses while a server runs on it. */
export async function eraseEmbeddedPostgres(
  options: Pick<EmbeddedPostgresOptions, 'dataDir' | 'cacheDir'>,
): Promise<void> {
  const { dataDir } = preparePlaces(options, serverAccount())
  refuseSecondServer(dataDir)
  await rm(dataDir, { recursive: true, force: true })
}

type Launched = { readonly outcome: 'ready'; readonly child: GuardedChild } | { readonly outcome: 'port-taken' }

interface LaunchDeps {
  readonly clock: Clock
  readonly binaries: Binaries
  readonly account: Account | undefined
}

async function launch(
  options: EmbeddedPostgresOptions & { readonly port: number },
  { clock, binaries, account }: LaunchDeps,
): Promise<Launched> {
  const { dataDir, port, fsync = true, maxConnections = 200, startTimeoutMs = 60_000, log } = options
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: maxConnections,
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(fsync ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  }
  const lines: string[] = []
  const ready = Promise.withResolvers<'ready'>()
  const child = await spawnGuarded(
    {
      file: `${binaries.binDir}/postgres`,
      args: ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: serverEnvironment,
      cwd: dataDir,
      stopSignal: 'SIGINT', // “fast”: SIGTERM would wait for every client to leave
      ...asAccount(account),
      onLine: (line) => {
        log?.(line)
        if (lines.push(line) > keptLogLines) lines.shift()
        if (line.includes('database system is ready to accept connections')) ready.resolve('ready')
      },
    },
    { clock },
  )
  const timeout = Promise.withResolvers<'timeout'>()
  const timer = clock.after(startTimeoutMs, () => timeout.resolve('timeout'))
  const first = await Promise.race([ready.promise, child.exited, timeout.promise])
  timer.cancel()
  if (first === 'ready') return { outcome: 'ready', child }
  await child.stop({ limitMs: 1_000 })
  const output = lines.join('\n')
  if (/could not bind .*: Address already in use/.test(output)) return { outcome: 'port-taken' }
  if (output.includes('lock file "postmaster.pid" already exists')) throw alreadyRunning(dataDir)
  const how = first === 'timeout' ? `was not ready after ${startTimeoutMs} ms` : `ended with code ${first}`
  throw new SluiceError('start_failed', `Postgres ${how}. The end of its log:\n${output}`)
}

async function createDatabase(url: string, database: string): Promise<void> {
  if (database === superuser) return
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`)
  } catch (cause) {
    throw new SluiceError('start_failed', `The database ${database} could not be created: ${messageOf(cause)}`, {
      cause,
    })
  } finally {
    await client.end()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
