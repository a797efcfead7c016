// What waits to be worked off, everywhere. After a fault it has to go, and to keep going for as long as the machine takes.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../shared/database/index.ts'

const sql = `SELECT
  (SELECT count(*)::int FROM agent.turn WHERE state NOT IN ('completed', 'failed')) AS turns,
  (SELECT count(*)::int FROM sluice.parked) AS parked,
  (SELECT count(*)::int FROM sluice.lane) AS lanes,
  (SELECT count(*)::int FROM agent.memory_write_outbox) AS "memory writes",
  (SELECT coalesce(sum(next - 1 - sent), 0)::int FROM sluice.outbox_key WHERE sent + 1 < next) AS unpublished`

const stuckAfterMs = 20_000
const lookEveryMs = 200

/** @throws AssertionError when something waits after `limitMs` and has not become less for a while, which is longer than a lease. */
export async function workedOff(database: Database, { limitMs }: { readonly limitMs: number }): Promise<void> {
  const end = performance.now() + limitMs
  for (let [least, lessAt] = [Number.POSITIVE_INFINITY, performance.now()]; ;) {
    const { rows } = await database.query<Readonly<Record<string, number>>>(sql)
    const waits = Object.values(rows[0] ?? {}).reduce((sum, count) => sum + count, 0)
    if (waits === 0) return
    const now = performance.now()
    if (waits < least) [least, lessAt] = [waits, now]
    if (now > end && now - lessAt > stuckAfterMs) assert.fail(`after the fault there wait ${JSON.stringify(rows[0])}`)
    await sleep(lookEveryMs)
  }
}
