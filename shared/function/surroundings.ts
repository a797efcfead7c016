// What every function has around it, made from the configuration.

import { createFailpoints, flushAtExit } from '../lifecycle/index.ts'
import { createInstruments, createLogger, type Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { Config } from '../config/index.ts'
import type { Surroundings } from './composition.ts'

export interface SurroundingsOptions {
  readonly name: string
  readonly config: Config
  readonly clock: Clock
  /** Default: standard output. */
  readonly log?: Logger | undefined
  readonly draining: AbortSignal
}

export const createSurroundings = ({ name, config, clock, log, draining }: SurroundingsOptions): Surroundings => ({
  config,
  clock,
  draining,
  log: log ?? createProcessLogger(name, config),
  instruments: createInstruments({ function: name }),
  random: Math.random,
  failpoints: createFailpoints(config),
  versions: { functionVersion: config.functionVersion, configVersion: 'unknown' },
})

function createProcessLogger(name: string, { logLevel }: Config): Logger {
  const log = createLogger({ function: name, level: logLevel })
  flushAtExit(log)
  return log
}
