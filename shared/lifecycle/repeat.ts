// A chore that runs now and then, for as long as the process lives.
//
// R1  One run at a time; the next begins `everyMs` after the last one ended.
// R2  A failed run changes nothing for the next. Of failures in a row the first is logged; health() tells the last.
// R3  stop() waits for the run under way, whose signal is aborted.

import { errorLabel, messageOf } from '../errors/index.ts'
import type { Component, ComponentHealth } from './component.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'

export interface RepeatOptions {
  readonly name: string
  readonly everyMs: number
}

export interface RepeatDeps {
  readonly clock: Clock
  readonly log: Logger
}

export function repeat(
  { name, everyMs }: RepeatOptions,
  { clock, log }: RepeatDeps,
  chore: (signal: AbortSignal) => Promise<void>,
): Component {
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  let health: ComponentHealth = { status: 'unknown' }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined)
      if (!signal.aborted) await once(signal)
    }
  }

  async function once(signal: AbortSignal): Promise<void> {
    try {
      await chore(signal)
      health = { status: 'up', at: clock.now() }
    } catch (error) {
      if (health.status !== 'down')
        log.warn({ chore: name, reason: messageOf(error) }, 'a chore failed; it comes again')
      health = { status: 'down', at: clock.now(), error: errorLabel(error) }
    }
  }

  return {
    name,
    start: async () => {
      running ??= run(stopping.signal)
    },
    stop: async () => {
      stopping.abort()
      await running
    },
    health: () => health,
  }
}
