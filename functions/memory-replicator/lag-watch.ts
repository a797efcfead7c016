// Keeps `memory_wal_lag_seconds` true: the age of the oldest write that the replica lacks, whatever it is that stands still –
// outbox, log, source, this function, one memory. 0 when the replica has everything. While the database cannot be asked a lag
// that was there grows with the clock.

import type { Queryable } from '../../shared/database/index.ts'
import { repeat, type Component } from '../../shared/lifecycle/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { memoryReplicator } from './function.ts'

export interface LagWatchDeps {
  readonly database: Queryable
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Pick<Instruments, 'memoryWalLag' | 'memoryStreamsStopped'>
}

export function createLagWatch({ everyMs = 1_000 }: { readonly everyMs?: number }, deps: LagWatchDeps): Component {
  const { database, clock, instruments } = deps
  let seen = { lagSeconds: 0, atMs: clock.monotonic() }

  async function look(): Promise<void> {
    try {
      const { rows } = await database.query<{ lag: number; stopped: number }>(lagSql, [memoryReplicator.name])
      const { lag = 0, stopped = 0 } = rows[0] ?? {}
      seen = { lagSeconds: Math.max(0, lag), atMs: clock.monotonic() }
      instruments.memoryWalLag.set(seen.lagSeconds)
      instruments.memoryStreamsStopped.set(stopped)
    } catch (error) {
      const since = (clock.monotonic() - seen.atMs) / 1_000
      if (seen.lagSeconds > 0) instruments.memoryWalLag.set(seen.lagSeconds + since)
      throw error
    }
  }

  const watch = repeat({ name: 'memory-lag', everyMs }, deps, look)
  return {
    ...watch,
    start: async (signal) => {
      await look().catch(() => undefined) // the next look tells why
      await watch.start(signal)
    },
  }
}

// A memory has stopped when its head failed for what it is, or when its lane waits for a person.
const lagSql = `
  SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - written_at) FROM agent.memory_unapplied ORDER BY written_at LIMIT 1), 0)
           ::double precision AS lag,
         (SELECT count(*) FROM sluice.lane WHERE function = $1 AND (held IS NOT NULL OR EXISTS (
            SELECT FROM sluice.parked WHERE parked.function = lane.function AND parked.key = lane.key
              AND parked.cause IN ('wal_gap', 'wal_mismatch'))))::integer AS stopped`
