// What waits to be worked off, everywhere. After a fault it has to go, and to keep going for as long as the machine takes.

import type { Database } from '../../../shared/database/index.ts'
import { countDown } from './count-down.ts'

const sql = `SELECT
  (SELECT count(*)::int FROM agent.turn WHERE state NOT IN ('completed', 'failed')) AS turns,
  (SELECT count(*)::int FROM sluice.parked) AS parked,
  (SELECT count(*)::int FROM sluice.lane) AS lanes,
  (SELECT count(*)::int FROM agent.memory_write_outbox) AS "memory writes",
  (SELECT coalesce(sum(next - 1 - sent), 0)::int FROM sluice.outbox_key WHERE sent + 1 < next) AS unpublished`

const stuckAfterMs = 20_000

/** @throws AssertionError when something waits after `limitMs` and has not become less for a while, which is longer than a lease. */
export async function workedOff(database: Database, { limitMs }: { readonly limitMs: number }): Promise<void> {
  let waiting: Readonly<Record<string, number>> = {}
  const count = async (): Promise<number> => {
    waiting = (await database.query<Readonly<Record<string, number>>>(sql)).rows[0] ?? {}
    return Object.values(waiting).reduce((sum, count) => sum + count, 0)
  }
  await countDown(
    count,
    { stuckAfterMs, notBeforeMs: limitMs },
    () => `after the fault there wait ${JSON.stringify(waiting)}`,
  )
}
