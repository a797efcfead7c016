// Reconciliation as a live check: what must always hold between inbox, lanes, dead letters, outbox and log is looked at now and
// then, and told by metrics: of each table a bounded part, the newest of it. `sluice verify` reads all and names each offender.

import type { Queryable } from '../../shared/database/index.ts'
import { provePositions, reconcile, type ReconcileOptions } from '../../shared/delivery/index.ts'
import type { EventLog } from '../../shared/event-log/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'

export interface CheckBooksDeps {
  readonly database: Queryable
  readonly eventLog: Pick<EventLog, 'bounds' | 'read'>
  readonly instruments: Pick<Instruments, 'reconciliationOffenders' | 'reconciliationLastSuccess'>
  readonly clock: Clock
  readonly log: Logger
}

/** Sent rows of one round whose place in the log is looked at. */
const provenRows = 100
/** Offenders of a check that a log line names. */
const namedOffenders = 3

/** @throws what the database or the log threw; then the time of the last success stands still. */
export async function checkBooks(deps: CheckBooksDeps, options: ReconcileOptions = {}): Promise<void> {
  const { database, instruments, clock, log } = deps
  const results = await reconcile(database, { scope: 'recent', ...options, samples: namedOffenders })
  const places = await provePositions({ limit: provenRows }, deps)
  const proven = { check: 'log-position', offenders: places.offenders.length, samples: places.offenders } as const
  for (const { check, offenders, samples } of [...results, proven]) {
    instruments.reconciliationOffenders.set({ check }, offenders)
    const named = samples.slice(0, namedOffenders)
    if (offenders > 0)
      log.error({ check, offenders, named }, 'the books do not agree; sluice verify names each offender')
  }
  instruments.reconciliationLastSuccess.set(clock.now() / 1_000)
}
