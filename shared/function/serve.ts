// The composition root's one call: builds what the contract needs, starts it in order, serves until a signal, drains.

import type { Behaviour } from './composition.ts'
import type { AnyFunction } from './define-http-function.ts'

/** Serves the function until SIGTERM or SIGINT, then drains and ends the process. */
export async function serve<F extends AnyFunction>(definition: F, behaviour: Behaviour<F>): Promise<void> {
  throw new Error(`not built yet: ${definition.name} ${typeof behaviour}`)
}
