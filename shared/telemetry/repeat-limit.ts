// Keeps one fault from filling the log: of warnings and errors of the same message and code only so many are written in a
// while. How many were left out is told with the next one of the kind, and at the end of the while when none follows.
//
//   first line ──▶ counting: `burst` lines are written ──▶ further ones are counted only ──`everyMs` over──▶ told, forgotten

import type { Clock } from '../time/index.ts'

export interface RepeatLimitOptions {
  /** Lines of one kind that are written within `everyMs`. */
  readonly burst: number
  readonly everyMs: number
}

export const repeatDefaults: RepeatLimitOptions = { burst: 50, everyMs: 10_000 }

export interface RepeatLimit {
  /** May a line of this kind be written? */
  admit(level: string, message: string, code: string): boolean
  /** Tells now what was left out, as at the end of the process. */
  flush(): void
}

export interface LeftOut {
  readonly level: string
  readonly message: string
  readonly code: string
  readonly suppressed: number
}

export interface RepeatLimitDeps {
  readonly clock: Clock
  readonly tell: (left: LeftOut) => void
}

interface Kind extends Omit<LeftOut, 'suppressed'> {
  written: number
  suppressed: number
}

/** Kinds at once. Messages are constants, so there are few; beyond it lines are written unlimited. */
const mostKinds = 1_024

export function createRepeatLimit(
  { burst, everyMs }: RepeatLimitOptions,
  { clock, tell }: RepeatLimitDeps,
): RepeatLimit {
  let kinds = new Map<string, Kind>()
  let scheduled = false

  function flush(): void {
    scheduled = false
    const ended = kinds
    kinds = new Map()
    for (const { level, message, code, suppressed } of ended.values()) {
      if (suppressed > 0) tell({ level, message, code, suppressed })
    }
  }

  return {
    admit: (level, message, code) => {
      const name = `${level} ${code} ${message}`
      const kind = kinds.get(name) ?? { level, message, code, written: 0, suppressed: 0 }
      if (kind.written >= burst) {
        kind.suppressed += 1
        return false
      }
      kind.written += 1
      if (kind.written > 1 || kinds.size >= mostKinds) return true
      kinds.set(name, kind)
      if (!scheduled) {
        scheduled = true
        clock.after(everyMs, flush, { unref: true })
      }
      return true
    },
    flush,
  }
}
