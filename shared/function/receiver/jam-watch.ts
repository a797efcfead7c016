// Notices a receiver that is jammed: every place is taken, and none was given back for longer than any run may take. Handlers
// that never end keep their places, and the receiver then refuses everything while the event loop turns happily.

import type { Clock } from '../../time/index.ts'
import type { Admission } from './admission.ts'

export interface JamWatch {
  /** To be asked now and then: it compares with what it saw before. */
  jammed(): boolean
}

export function createJamWatch(
  admissions: readonly Pick<Admission, 'full' | 'left'>[],
  { longestRunMs }: { readonly longestRunMs: number },
  { clock }: { readonly clock: Clock },
): JamWatch {
  const seen = admissions.map((admission) => ({ admission, left: -1, sinceMs: 0 }))
  return {
    jammed: () => {
      const now = clock.monotonic()
      for (const watched of seen) {
        const left = watched.admission.left()
        if (watched.admission.full() && left === watched.left) continue
        watched.left = left
        watched.sinceMs = now
      }
      return seen.some(({ sinceMs }) => now - sinceMs > longestRunMs)
    },
  }
}
