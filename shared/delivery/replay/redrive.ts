// Moves of one dead letter, each a transaction of its own with its entry in the ledger: back to the end of its lane, or away.

import type { Database, Queryable } from '../../database/index.ts'
import { SluiceError, sqlState } from '../../errors/index.ts'
import { judgeEvent, refusal, type RefusedReplay } from './judge-letter.ts'
import { takeBackWork, type WorkOf } from './take-back.ts'
import type { Operator } from './operator.ts'

export type Redriven =
  /** `work`: it was no event, and its function tries it again by itself. */
  | { readonly ok: true; readonly work?: true }
  | { readonly ok: false; readonly reason: RefusedReplay; readonly message: string }

interface Letter {
  readonly function: string
  readonly id: string | null
  readonly event: unknown
  readonly state: 'dead' | 'replayed' | 'discarded'
}

const letterSql = `SELECT function, id, event, state FROM sluice.dead_letter
WHERE dead_letter_id = $1 AND ($2::text IS NULL OR tenant = $2)`

/** @throws SluiceError `lane_busy` when the lane's lock is not to be had in time. */
export async function redrive(
  database: Pick<Database, 'query' | 'transaction'>,
  deadLetterId: string,
  { works, ...operator }: Operator & { readonly works?: WorkOf | undefined },
): Promise<Redriven> {
  const { runId, by, reason, tenant = null } = operator
  const { rows } = await database.query<Letter>(letterSql, [deadLetterId, tenant])
  const [letter] = rows
  if (letter === undefined) return refusal('not_found')
  if (letter.state !== 'dead') return refusal(`already_${letter.state}`)
  const takeBack = letter.event === null && letter.id !== null ? works?.get(letter.function) : undefined
  if (takeBack !== undefined) {
    const taken = await takeBackWork(database, { deadLetterId, takeBack }, operator)
    return taken ? { ok: true, work: true } : refusal('already_replayed')
  }
  if (letter.event !== null && letter.id === null) return refusal('no_identity')
  const judged = judgeEvent(letter.event)
  if (!judged.ok) return judged
  const outcome = await move(database, 'SELECT sluice.redrive($1, $2, $3, $4, $5, $6) AS outcome', [
    deadLetterId,
    tenant,
    judged.dataHash,
    runId,
    by,
    reason,
  ])
  return outcome === 'parked' ? { ok: true } : refusal(outcome as RefusedReplay)
}

export async function discard(queryable: Queryable, deadLetterId: string, operator: Operator): Promise<Redriven> {
  const { runId, by, reason, tenant = null } = operator
  const values = [deadLetterId, tenant, runId, by, reason]
  const outcome = await move(queryable, 'SELECT sluice.discard($1, $2, $3, $4, $5) AS outcome', values)
  return outcome === 'discarded' ? { ok: true } : refusal(outcome as RefusedReplay)
}

async function move(queryable: Queryable, sql: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await queryable.query<{ outcome: string }>(sql, values).catch((error: unknown) => {
    if (sqlState(error) !== '55P03') throw error
    throw new SluiceError('lane_busy', 'The lane of the event is taken; try again', { cause: error })
  })
  return rows[0]?.outcome ?? 'not_found'
}
