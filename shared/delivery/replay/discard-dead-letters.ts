// Gives dead letters up, with a reason that stays in the ledger. Their rows and their events' inbox rows remain.

import { v7 as uuidv7 } from 'uuid'
import type { Queryable } from '../../database/index.ts'
import { filterSql, filterValues, type DeadLetterFilter } from './dead-letter-filter.ts'
import type { Operator } from './operator.ts'
import { discard } from './redrive.ts'
import type { RefusedLetter } from './replay-dead-letters.ts'

export interface DiscardReport {
  readonly run_id: string
  readonly discarded: number
  readonly refused: readonly RefusedLetter[]
}

const idsSql = `SELECT letter.dead_letter_id AS id FROM sluice.dead_letter AS letter WHERE ${filterSql}
ORDER BY letter.at, letter.dead_letter_id LIMIT $9`

export interface DiscardOptions {
  readonly filter: DeadLetterFilter
  readonly operator: Omit<Operator, 'runId'>
  /** Default 10,000. */
  readonly limit?: number
}

export async function discardDeadLetters(
  { filter, operator, limit = 10_000 }: DiscardOptions,
  queryable: Queryable,
): Promise<DiscardReport> {
  const runId = uuidv7()
  const refused: RefusedLetter[] = []
  let discarded = 0
  for (const id of filter.ids ?? (await meantIds(queryable, { filter, operator, limit }))) {
    const moved = await discard(queryable, id, { ...operator, runId })
    if (moved.ok) discarded += 1
    else refused.push({ dead_letter_id: id, reason: moved.reason, message: moved.message })
  }
  return { run_id: runId, discarded, refused }
}

async function meantIds(
  queryable: Queryable,
  { filter, operator, limit }: Required<DiscardOptions>,
): Promise<readonly string[]> {
  const scope = { ...filter, state: 'dead', tenant: operator.tenant ?? filter.tenant } as const
  const { rows } = await queryable.query<{ id: string }>(idsSql, [...filterValues(scope), limit])
  return rows.map(({ id }) => id)
}
