// Functions that could not be reached rest with back-off, so that their lanes do not fill the driver with failing requests.

import { backoffDelay, type Clock } from '../../time/index.ts'

const backoff = { firstMs: 200, maxMs: 5_000 }

export interface Rests {
  /** Noted by an answer of any kind. */
  reached(name: string): void
  /** Returns the length of the rest, in milliseconds. */
  missed(name: string): number
  /** Who rests now. */
  resting(): readonly string[]
}

export function createRests({ clock, random }: { readonly clock: Clock; readonly random: () => number }): Rests {
  const rests = new Map<string, { readonly misses: number; readonly until: number }>()
  return {
    reached: (name) => void rests.delete(name),
    missed: (name) => {
      const known = rests.get(name)
      const now = clock.monotonic()
      if (known !== undefined && now < known.until) return known.until - now // several lanes missed it together
      const misses = (known?.misses ?? 0) + 1
      const restMs = 50 + backoffDelay(backoff, misses, random)
      rests.set(name, { misses, until: now + restMs })
      return restMs
    },
    resting: () => [...rests].filter(([, { until }]) => clock.monotonic() < until).map(([name]) => name),
  }
}
