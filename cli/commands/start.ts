// `sluice start`, which `npm start` runs: the whole platform on this machine, until Ctrl-C.

import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { SluiceError } from '../../shared/errors/index.ts'
import { loadConfig, type Config } from '../../shared/config/index.ts'
import { findPortHolder } from '../../shared/function/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { systemClock } from '../../shared/time/index.ts'
import {
  claimPlatform,
  erasePostgres,
  releasePlatform,
  startPlatform,
  updatePlatformState,
  type Platform,
} from '../../local/platform/index.ts'
import { isFree, openLogFile } from '../../local/runner/index.ts'
import type { Command } from '../command.ts'
import { environment } from '../environment.ts'
import { projectHome, projectRoot, statePath } from '../project.ts'
import { createStartView } from '../start-view.ts'
import { untilStopRequested } from '../stop-request.ts'

export const command: Command = {
  summary: 'Starts the platform on this machine',
  usage: `Usage: npm start -- [options], or sluice start [options]

Starts Postgres, the rehearsal model, every function in a process of its own, and the sources between them.
Ctrl-C ends all of it; data stays.

  --port N   port of the gateway (default: $PORT, else 8080)
  --fresh    begin with an empty database

DATABASE_URL, KAFKA_BROKERS, REDIS_URL use those services instead; MODEL_BASE_URL, MODEL_API_KEY and MODEL_NAME a real
model. 'sluice options' lists everything else.`,
  run: start,
}

async function start(args: readonly string[]): Promise<number> {
  const began = performance.now()
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, fresh: { type: 'boolean', default: false } },
  })
  const config = loadConfig(values.port === undefined ? environment : { ...environment, PORT: values.port })
  if (values.fresh && config.databaseUrl !== undefined) {
    throw new SluiceError(
      'invalid_option',
      '--fresh empties only the database that sluice starts itself; DATABASE_URL names another one',
    )
  }
  claimPlatform(statePath(), process.pid)
  const stop = untilStopRequested()
  try {
    await refuseTakenPort(config.port)
    if (values.fresh) await erasePostgres({ root: projectRoot, home: projectHome() })
    return await runUntilStopped({ config, began }, stop)
  } finally {
    releasePlatform(statePath())
    stop.forget()
  }
}

async function runUntilStopped(
  { config, began }: { readonly config: Config; readonly began: number },
  stop: ReturnType<typeof untilStopRequested>,
): Promise<number> {
  const view = createStartView({ say: console.log, clock: systemClock })
  const logFile = openLogFile(join(projectHome(), 'logs', 'local.log'))
  const log = createLogger(
    { function: 'local', level: config.logLevel },
    { write: (line) => logFile.write(line.trimEnd()) },
  )
  const options = {
    root: projectRoot,
    home: projectHome(),
    environment,
    config,
    gatewayPort: config.port,
    watch: true,
  }
  const deps = { clock: systemClock, log, onStep: view.onStep, onProcess: view.onProcess }
  let platform: Platform
  try {
    platform = await startPlatform(options, deps, stop.signal)
  } catch (error) {
    if (stop.signal.aborted) return 0
    throw error
  }
  updatePlatformState(statePath(), stateOf(platform, config))
  view.ready({
    gatewayUrl: platform.gatewayUrl,
    readyMs: performance.now() - began,
    logs: relative(process.cwd(), join(projectHome(), 'logs')),
    data: platform.postgres.embedded?.dataDir,
    model: config.modelBaseUrl,
  })
  const ended = await Promise.race([stop.requested, platform.postgres.embedded?.exited ?? stop.requested])
  view.stopping(
    typeof ended === 'number'
      ? `Postgres ended with code ${ended}; its log is in ${join(projectHome(), 'logs', 'postgres.log')}`
      : undefined,
  )
  await platform.stop()
  view.stopped()
  return typeof ended === 'number' ? 1 : 0
}

async function refuseTakenPort(port: number): Promise<void> {
  if (port === 0 || (await isFree(port))) return
  const pid = await findPortHolder(port)
  const holder = pid === undefined ? 'another process' : `process ${pid}`
  throw new SluiceError(
    'port_taken',
    `port ${port} is taken by ${holder}. Free it, or choose another: npm start -- --port ${port + 1} (or PORT=${port + 1} npm start)`,
  )
}

function stateOf(platform: Platform, config: Config): Parameters<typeof updatePlatformState>[1] {
  return {
    gateway: platform.gatewayUrl,
    functions: Object.fromEntries(platform.urls),
    operations: Object.fromEntries(platform.operationsUrls),
    databaseUrl: platform.databaseUrl.reveal(),
    kafkaBrokers: config.kafkaBrokers,
  }
}
