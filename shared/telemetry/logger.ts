// One JSON line a record, with function, trace_id and span_id on each. Secrets are handles that print as placeholders.

import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { createStandardOutput } from './standard-output.ts'
import { currentTrace } from './trace-context.ts'

export type Logger = Pick<
  PinoLogger,
  'trace' | 'debug' | 'info' | 'warn' | 'error' | 'child' | 'level' | 'flush' | 'isLevelEnabled'
>

export interface LoggerOptions {
  /** Name of the function, or of the part of the local platform. */
  readonly function: string
  readonly level: string
}

/** Writes to standard output unless `destination` is given. */
export function createLogger({ function: name, level }: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    level,
    base: { function: name },
    messageKey: 'message',
    timestamp: createTimestamp(),
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => {
      const trace = currentTrace()
      return trace === undefined ? { trace_id: '', span_id: '' } : { trace_id: trace.traceId, span_id: trace.spanId }
    },
  }
  return pino(settings, destination ?? createStandardOutput())
}

// The text of a second is made once: making all of it anew for each line costs as much as the rest of the line.
function createTimestamp(): () => string {
  let second = Number.NaN
  let prefix = ''
  return () => {
    const now = Date.now()
    const current = Math.floor(now / 1_000)
    if (current !== second) {
      second = current
      prefix = `,"time":"${new Date(now).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS.'.length)}`
    }
    return `${prefix}${String(now - current * 1_000).padStart(3, '0')}Z"`
  }
}
