// The platform as `npm start` runs it, every function a process, for tests: what happens to the processes is kept, its log goes
// into a file, and the test has a way into the database of its own.

import { join } from 'node:path'
import { startPlatform, type Platform, type PlatformOptions } from '../../local/platform/index.ts'
import { allotPorts, openLogFile, type ProcessEvent } from '../../local/runner/index.ts'
import type { Secret } from '../../shared/config/index.ts'
import { createDatabase, type Database } from '../../shared/database/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import { projectRoot } from './places.ts'
import type { AtEnd } from './put-up.ts'

export interface WatchedPlatformOptions extends Omit<PlatformOptions, 'root' | 'gatewayPort' | 'environment'> {
  /** What the functions get; PATH comes from this process. */
  readonly environment: Readonly<Record<string, string>>
  readonly startLimitMs: number
  /** For looking, past whatever stands before the database of the platform. Default: that database. */
  readonly databaseUrl?: Secret<string>
}

export interface WatchedPlatform {
  readonly platform: Platform
  /** Starts and ends of processes so far. */
  readonly events: readonly ProcessEvent[]
  readonly database: Database
  readonly logFolder: string
}

export async function startWatchedPlatform(
  { environment, startLimitMs, databaseUrl, ...options }: WatchedPlatformOptions,
  atEnd: AtEnd,
): Promise<WatchedPlatform> {
  const logFolder = join(options.home, 'logs')
  const logFile = openLogFile(join(logFolder, 'local.log'))
  const log = createLogger({ function: 'local', level: 'info' }, { write: (line) => logFile.write(line.trimEnd()) })
  const [gatewayPort = 0] = await allotPorts(1)
  const events: ProcessEvent[] = []
  const platform = await startPlatform(
    { ...options, root: projectRoot, gatewayPort, environment: { PATH: process.env['PATH'] ?? '', ...environment } },
    { clock, log, onStep: () => undefined, onProcess: (event) => events.push(event) },
    AbortSignal.timeout(startLimitMs),
  )
  atEnd(() => platform.stop())
  const limits = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000, applicationName: 'test' }
  const database = createDatabase({ url: databaseUrl ?? platform.databaseUrl, ...limits }, { clock, log })
  atEnd(() => database.stop())
  return { platform, events, database, logFolder }
}
