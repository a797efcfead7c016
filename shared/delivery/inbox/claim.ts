// Taking an event from its source. The decisions are made by the SQL functions `claim`, `park` and `claim_and_park`
// (schemas/database/0001-delivery.sql); this file only calls them.

import type { Queryable } from '../../database/index.ts'
import { SluiceError, sqlState } from '../../errors/index.ts'
import type { DeliveryContract } from '../contract.ts'
import type { ReceivedEvent } from './received-event.ts'

/** `run` and `park`: the event is the caller's. `duplicate`, `conflict`: it was taken before, with the same or with other data. */
export type Claim = 'run' | 'park' | 'duplicate' | 'conflict'

export interface Parking {
  /** Runs that failed already. */
  readonly attempts: number
  readonly delayMs: number
  readonly cause: string | null
  readonly detail: string | null
}

/** Parked because something is before it in its lane, not because it failed. */
export const dueNow: Parking = { attempts: 0, delayMs: 0, cause: null, detail: null }

const claimStatement = {
  name: 'sluice.claim',
  text: `SELECT sluice.claim(p_function => $1, p_source => $2, p_id => $3, p_data_hash => $4, p_key => $5,
  p_parks => false) AS decision`,
}

/** First statement of the transaction that will hold the effects. @throws SluiceError `lane_busy` when a lock was not to be had in time. */
export async function claim(tx: Queryable, { name }: DeliveryContract, event: ReceivedEvent): Promise<Claim> {
  const { rows } = await tx
    .query<{ decision: Claim }>(claimStatement, [name, event.source, event.id, event.dataHash, event.key])
    .catch(laneBusy)
  return decisionOf(rows)
}

const parkSql = `SELECT sluice.park(p_function => $1, p_key => $2, p_source => $3, p_id => $4, p_tenant => $5, p_event => $6,
  p_raw => $7, p_topic => $8, p_partition => $9, p_log_offset => $10, p_record_key => $11, p_trace => $12,
  p_attempts => $13, p_delay_ms => $14, p_cause => $15, p_detail => $16)`

/** In the transaction that claimed the event. */
export async function park(
  tx: Queryable,
  { name }: DeliveryContract,
  event: ReceivedEvent & { readonly parking: Parking },
): Promise<void> {
  const { attempts, delayMs, cause, detail } = event.parking
  await tx.query(parkSql, [name, ...parkedColumns(event), attempts, delayMs, cause, detail])
}

const claimAndParkStatement = {
  name: 'sluice.claim_and_park',
  text: `SELECT sluice.claim_and_park(p_function => $1, p_key => $2, p_source => $3, p_id => $4, p_tenant => $5,
  p_event => $6, p_raw => $7, p_topic => $8, p_partition => $9, p_log_offset => $10, p_record_key => $11, p_trace => $12,
  p_data_hash => $13) AS decision`,
}

/** Claims and parks in one statement, which is a transaction of its own. @throws SluiceError `lane_busy`. */
export async function claimAndPark(
  database: Queryable,
  { name }: DeliveryContract,
  event: ReceivedEvent,
): Promise<Claim> {
  const { rows } = await database
    .query<{ decision: Claim }>(claimAndParkStatement, [name, ...parkedColumns(event), event.dataHash])
    .catch(laneBusy)
  return decisionOf(rows)
}

const parkedColumns = (event: ReceivedEvent): readonly unknown[] => [
  event.key,
  event.source,
  event.id,
  event.tenant,
  event.json(),
  event.raw,
  event.topic ?? null,
  event.partition ?? null,
  event.offset ?? null,
  event.recordKey ?? null,
  event.trace,
]

function decisionOf(rows: readonly { readonly decision: Claim }[]): Claim {
  const decision = rows[0]?.decision
  if (decision === undefined) throw new SluiceError('internal', 'The claim of an event gave no decision')
  return decision
}

// 55P03: the lane, or another transaction that is inserting the same id, was not done within lock_timeout.
function laneBusy(error: unknown): never {
  if (sqlState(error) !== '55P03') throw error
  throw new SluiceError('lane_busy', 'The lane of the event is taken; come again', { cause: error })
}
