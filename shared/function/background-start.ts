// A component that the function can do without for a while: its start does not hold up the others, and is tried again until
// it succeeds or the function stops.

import { messageOf } from '../errors/index.ts'
import type { Component } from '../lifecycle/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { backoffDelay, type Clock } from '../time/index.ts'

const backoff = { firstMs: 1_000, maxMs: 30_000 }

export function createBackgroundStart(
  component: Component,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Component {
  const stopping = new AbortController()
  let starting = Promise.resolve()

  async function startUntilItWorks(): Promise<void> {
    for (let failures = 1; !stopping.signal.aborted; failures += 1) {
      try {
        return await component.start(stopping.signal)
      } catch (error) {
        if (stopping.signal.aborted) return
        log.warn({ component: component.name, reason: messageOf(error) }, 'a component does not start yet')
        await clock.sleep(backoffDelay(backoff, failures, Math.random), stopping.signal).catch(() => undefined)
      }
    }
  }

  return {
    name: component.name,
    start: async () => {
      starting = startUntilItWorks()
    },
    stop: async () => {
      stopping.abort()
      await starting
      await component.stop()
    },
    health: () => component.health(),
  }
}
