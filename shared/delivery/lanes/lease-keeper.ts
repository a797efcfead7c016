// Keeps a run's lease alive by database time, and tells the run when it no longer is.
//
// LK1  The signal aborts with `lease_lost` when a renewal finds the lane in other hands, or when none succeeded for the
//      length of the lease (the database may be away): from then on the run's work is wasted, though never harmful.

import type { Queryable } from '../../database/index.ts'
import type { Clock, Timer } from '../../time/index.ts'
import { leaseLost, leaseMs, renewLease, type LaneHold } from './lane-run.ts'

const renewEveryMs = 5_000

export interface LeaseKeeper {
  readonly signal: AbortSignal
  /** Ends the renewals. */
  readonly stop: () => void
}

export function keepLease(
  run: LaneHold,
  { database, clock }: { readonly database: Queryable; readonly clock: Clock },
): LeaseKeeper {
  const lost = new AbortController()
  let stopped = false
  let goodUntil = clock.monotonic() + leaseMs
  let timer: Timer = clock.after(renewEveryMs, () => void renew())

  async function renew(): Promise<void> {
    const asked = clock.monotonic()
    const held = await renewLease(database, run).catch(() => 'unknown' as const)
    if (stopped) return
    if (held === true) goodUntil = asked + leaseMs
    if (held === false || clock.monotonic() >= goodUntil) return lost.abort(leaseLost())
    const inMs = held === true ? renewEveryMs : Math.min(1_000, goodUntil - clock.monotonic())
    timer = clock.after(inMs, () => void renew())
  }

  return {
    signal: lost.signal,
    stop: () => {
      stopped = true
      timer.cancel()
    },
  }
}
