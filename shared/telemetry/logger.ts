// One JSON line a record, with function, trace_id and span_id on each.
//
// LG1  Secrets stay out by three walls: handles that print as placeholders, names of fields, and patterns in texts
//      (redact-record.ts, redact-text.ts).
// LG2  A fault that repeats does not fill the log (repeat-limit.ts).

import { pino, type DestinationStream, type LogFn, type Logger as PinoLogger } from 'pino'
import { systemClock, type Clock } from '../time/index.ts'
import { createRecordRedact, type Fields } from './redact-record.ts'
import { createRedact, type Redact } from './redact-text.ts'
import { createRepeatLimit, repeatDefaults, type LeftOut, type RepeatLimitOptions } from './repeat-limit.ts'
import { createStandardOutput } from './standard-output.ts'
import { currentTrace, type TraceContext } from './trace-context.ts'

export type Logger = Pick<
  PinoLogger,
  'trace' | 'debug' | 'info' | 'warn' | 'error' | 'child' | 'level' | 'flush' | 'isLevelEnabled'
>

export interface LoggerOptions {
  /** Name of the function, or of the part of the local platform. */
  readonly function: string
  readonly level: string
  /** Default: knows no secrets, only what secrets look like. */
  readonly redact?: Redact
  readonly repeats?: RepeatLimitOptions
}

/** Writes to standard output unless `destination` is given. */
export function createLogger(
  { function: name, level, redact = createRedact(), repeats = repeatDefaults }: LoggerOptions,
  destination?: DestinationStream,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Logger {
  const clean = createRecordRedact(redact)
  const limit = createRepeatLimit(repeats, { clock, tell: (left) => tellLeftOut(log, left) })
  const settings = {
    level,
    base: { function: name },
    messageKey: 'message',
    timestamp: createTimestamp(),
    formatters: {
      level: (label: string) => ({ level: label }),
      bindings: (bindings: Fields) => clean.fields(bindings),
      log: (fields: Fields) => clean.fields(fields),
    },
    hooks: {
      logMethod(this: PinoLogger, args: Parameters<LogFn>, ...[method, severity]: [LogFn, number]): void {
        const [fields, text] = args as unknown as readonly [unknown, unknown]
        const message = typeof fields === 'string' ? fields : typeof text === 'string' ? text : ''
        if (severity >= warning && !limit.admit(this.levels.labels[severity] ?? '', message, codeOf(fields))) return
        if (message === '') return method.apply(this, args)
        const told = clean.message(message)
        if (typeof fields === 'string') method.call(this, told)
        else method.call(this, fields, told)
      },
    },
    mixin: (fields: object) => ('span_id' in fields ? placed : placeOf(currentTrace())),
    mixinMergeStrategy: (fields: object, place: object) => (place === placed ? fields : { ...place, ...fields }),
  }
  const log: PinoLogger = pino(settings, destination ?? createStandardOutput())
  const flush = log.flush.bind(log)
  log.flush = (done) => {
    limit.flush() // nothing that was left out is forgotten at the end of a process
    flush(done)
  }
  return log
}

/** A line that says itself where it belongs needs nothing more: there is one for each event. */
const placed = {}

const placeOf = (trace: TraceContext | undefined): Fields =>
  trace === undefined ? { trace_id: '', span_id: '' } : { trace_id: trace.traceId, span_id: trace.spanId }

const warning = pino.levels.values['warn'] ?? 40

/** Faults of different codes are different faults. */
function codeOf(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null || !('code' in fields)) return ''
  return typeof fields.code === 'string' ? fields.code : ''
}

/** As one line of the level that was left out. It does not pass the limit again: its text differs. */
function tellLeftOut(log: PinoLogger, { level, message, code, suppressed }: LeftOut): void {
  const facts = { suppressed, repeated: message, ...(code === '' ? {} : { code }) }
  log[level === 'warn' ? 'warn' : 'error'](facts, 'a line that repeated was left out')
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
