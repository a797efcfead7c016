// The level of a running process: changed by an operator for a while, and then what the configuration says again. A level
// that stays forgotten at `debug` fills disks, and one at `error` hides the next incident.

import type { Clock, Timer } from '../time/index.ts'
import type { Logger } from './logger.ts'

/** Without `silent`: what a process has to say can be made less, not nothing. */
export const changeableLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const

export type ChangeableLevel = (typeof changeableLevels)[number]

export interface LevelState {
  readonly level: string
  readonly configured: string
  /** Seconds until the configured level comes back; absent when it is in force. */
  readonly seconds_left?: number
}

export interface LogLevel {
  state(): LevelState
  change(level: ChangeableLevel, forMs: number): LevelState
}

export function createLogLevel({ log, clock }: { readonly log: Logger; readonly clock: Clock }): LogLevel {
  const configured = log.level
  let changed: { readonly timer: Timer; readonly untilMs: number } | undefined

  function comeBack(): void {
    changed = undefined
    log.level = configured
    log.warn({ level_now: configured }, 'the log level is the configured one again')
  }

  const state = (): LevelState => ({
    level: log.level,
    configured,
    ...(changed === undefined ? {} : { seconds_left: Math.ceil((changed.untilMs - clock.monotonic()) / 1_000) }),
  })

  return {
    state,
    change: (level, forMs) => {
      changed?.timer.cancel()
      changed = { timer: clock.after(forMs, comeBack, { unref: true }), untilMs: clock.monotonic() + forMs }
      const say = (): void =>
        log.warn({ level_now: level, seconds: forMs / 1_000 }, 'the log level was changed by an operator')
      const isHeard = log.isLevelEnabled('warn') // under the old level or the new one
      if (isHeard) say()
      log.level = level
      if (!isHeard) say()
      return state()
    },
  }
}
