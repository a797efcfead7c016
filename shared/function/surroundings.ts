// What every function has around it, made from the configuration.

import { createFailpoints, flushAtExit } from '../lifecycle/index.ts'
import { createInstruments, createLogger, createRedact, type Logger, type Redact } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import { secretsIn, type Config } from '../config/index.ts'
import type { Surroundings } from './composition.ts'

export interface SurroundingsOptions {
  readonly name: string
  readonly config: Config
  readonly clock: Clock
  /** Default: standard output. */
  readonly log?: Logger | undefined
  readonly draining: AbortSignal
}

export function createSurroundings({ name, config, clock, log, draining }: SurroundingsOptions): Surroundings {
  const redact = createRedact(secretsIn(config))
  return {
    config,
    clock,
    draining,
    redact,
    log: log ?? createProcessLogger(name, config, redact),
    instruments: createInstruments({ function: name }),
    random: Math.random,
    failpoints: createFailpoints(config),
    versions: { functionVersion: config.functionVersion, configVersion: 'unknown' },
  }
}

function createProcessLogger(name: string, { logLevel }: Config, redact: Redact): Logger {
  const log = createLogger({ function: name, level: logLevel, redact })
  flushAtExit(log)
  return log
}
