// The composition root's one call: builds what the contract needs, starts it in order, serves until a signal, drains.

import { loadConfig } from '../config/index.ts'
import { runProcess } from '../lifecycle/index.ts'
import { systemClock } from '../time/index.ts'
import type { Behaviour } from './composition.ts'
import type { AnyFunction } from './contract.ts'
import { startService } from './start-service.ts'

/**
 * Serves the function until SIGTERM or SIGINT, then drains and ends the process: exit 0 after a clean drain, 1 when work
 * was left, when a fault ended it, or when it could not start (one line on standard error says why).
 */
export async function serve<F extends AnyFunction>(definition: F, behaviour: Behaviour<F>): Promise<void> {
  const start = (signal: AbortSignal) =>
    startService(definition, behaviour, { config: loadConfig(), clock: systemClock, signal })
  await runProcess({ name: definition.name }, start, { clock: systemClock })
}
