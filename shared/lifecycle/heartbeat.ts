// Sets `worker_last_heartbeat_timestamp` from the event loop itself: when the loop is blocked, the gauge stands still,
// which is what the alert looks at.

import type { Clock } from '../time/index.ts'
import type { Component } from './component.ts'

export interface HeartbeatOptions {
  /** Time between beats, in milliseconds. */
  readonly everyMs: number
}

interface Gauge {
  set(value: number): void
}

export function createHeartbeat(
  { everyMs }: HeartbeatOptions,
  { clock, gauge }: { readonly clock: Clock; readonly gauge: Gauge },
): Component {
  let timer = { cancel: (): void => undefined }
  let lastAt: number | undefined

  const beat = (): void => {
    lastAt = clock.now()
    gauge.set(lastAt / 1_000)
    timer = clock.after(everyMs, beat, { unref: true })
  }

  return {
    name: 'heartbeat',
    start: async () => beat(),
    stop: async () => timer.cancel(),
    health: () => (lastAt === undefined ? { status: 'unknown' } : { status: 'up', at: lastAt }),
  }
}
