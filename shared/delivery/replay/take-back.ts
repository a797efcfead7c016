// Work that no event started (dead-letters/bury-work.ts) has no lane to go back to. Whoever did it says how it is taken up again.

import type { Database, Queryable } from '../../database/index.ts'
import type { Operator } from './operator.ts'

export interface GivenUpWork {
  readonly tenant: string
  /** What names the work within its function. */
  readonly id: string
  /** What it asked for. */
  readonly raw: Buffer
}

/** Puts the work where its function finds it. In the transaction that writes the ledger. */
export type TakeBack = (tx: Queryable, work: GivenUpWork) => Promise<void>

/** By the name of the function. */
export type WorkOf = ReadonlyMap<string, TakeBack>

const moveSql = `UPDATE sluice.dead_letter SET state = 'replayed'
WHERE dead_letter_id = $1 AND ($2::text IS NULL OR tenant = $2) AND state = 'dead' AND event IS NULL AND id IS NOT NULL
RETURNING tenant, id, raw`

const ledgerSql = `INSERT INTO sluice.replay (dead_letter_id, run_id, action, by, reason) VALUES ($1, $2, 'replayed', $3, $4)`

/** False: it is no longer dead. */
export function takeBackWork(
  database: Pick<Database, 'transaction'>,
  { deadLetterId, takeBack }: { readonly deadLetterId: string; readonly takeBack: TakeBack },
  { runId, by, reason, tenant }: Operator,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const { rows } = await tx.query<GivenUpWork>(moveSql, [deadLetterId, tenant ?? null])
    const [work] = rows
    if (work === undefined) return false
    await takeBack(tx, work)
    await tx.query(ledgerSql, [deadLetterId, runId, by, reason])
    return true
  })
}
