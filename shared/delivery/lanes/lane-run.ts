// One run of the head of a lane: its start, its writes and its end, each fenced by the lane's token and epoch in SQL
// (schemas/database/0001-delivery.sql), so that a run which lost its lane changes nothing.

import type { Queryable } from '../../database/index.ts'
import { SluiceError, sqlState } from '../../errors/index.ts'
import type { LaneToken } from './lane-token.ts'

/** Longest silence of a run before another may take its lane, in milliseconds. */
export const leaseMs = 15_000

/** Names the lane and who has it. */
export interface LaneHold extends LaneToken {
  readonly function: string
  readonly key: string
}

export interface LaneRun extends LaneHold {
  readonly position: number
  /** This run included. */
  readonly attempts: number
  /** There is no attempt left: the last one ended without a word. */
  readonly exhausted: boolean
  readonly source: string
  readonly id: string
  readonly tenant: string
  readonly event: string
  readonly raw: Buffer
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
  readonly recordKey: string | null
  /** Of the last failure. */
  readonly cause: string | null
  readonly detail: string | null
}

const startSql = `SELECT key, epoch, position, attempts, exhausted, source, id, tenant, event, raw, topic, partition,
  log_offset AS "offset", record_key AS "recordKey", cause, detail
FROM sluice.start_run(p_function => $1, p_token => $2, p_epoch => $3, p_max_attempts => $4, p_lease_ms => $5)`

export interface StartOptions {
  readonly function: string
  readonly maxAttempts: number
}

/** Accepts the driver's offer and counts the attempt. Undefined when the offer is stale: used, expired or taken back. */
export async function startRun(
  database: Queryable,
  { token, epoch }: LaneToken,
  { function: name, maxAttempts }: StartOptions,
): Promise<LaneRun | undefined> {
  const { rows } = await database.query<Omit<LaneRun, 'function' | 'token'>>(startSql, [
    name,
    token,
    epoch,
    maxAttempts,
    leaseMs,
  ])
  const [row] = rows
  return row === undefined ? undefined : { ...row, function: name, token }
}

const holder = ({ function: name, key, token, epoch }: LaneHold): readonly unknown[] => [name, key, token, epoch]

/** Waits until no other run of the lane has a transaction open. Held until the transaction ends. @throws SluiceError `lane_busy`. */
export async function lockLane(tx: Queryable, { function: name, key }: LaneHold): Promise<void> {
  await tx.query('SELECT sluice.lock_lane_run($1, $2)', [name, key]).catch((error: unknown) => {
    if (sqlState(error) !== '55P03') throw error
    throw new SluiceError('lane_busy', 'A run that lost this lane still holds its lock', { cause: error })
  })
}

export const renewLease = (database: Queryable, run: LaneHold): Promise<boolean> =>
  isTrue(database, 'SELECT sluice.renew_lease($1, $2, $3, $4, $5) AS held', [...holder(run), leaseMs])

/** The event is over; the lane goes on, or away. @throws SluiceError `lease_lost`; nothing is written then. */
export async function finishRun(tx: Queryable, run: LaneRun, state: 'done' | 'dead'): Promise<void> {
  const values = [...holder(run), run.position, state]
  refuseUnless(await isTrue(tx, 'SELECT sluice.finish_run($1, $2, $3, $4, $5, $6) AS held', values))
}

export interface AnotherTry {
  readonly delayMs: number
  /** False gives the attempt back: the event was not at fault. */
  readonly counts: boolean
  readonly cause: string
  readonly detail: string
  /** The dependency whose return makes the lane due; without it, or before it, the delay does. */
  readonly waitsFor?: string
}

/** The event stays the head of its lane, for later. @throws SluiceError `lease_lost`; nothing is written then. */
export async function retryRun(
  tx: Queryable,
  run: LaneRun,
  { delayMs, counts, cause, detail, waitsFor }: AnotherTry,
): Promise<void> {
  const values = [...holder(run), run.position, delayMs, counts, cause, detail, waitsFor ?? null]
  refuseUnless(await isTrue(tx, 'SELECT sluice.retry_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS held', values))
}

export interface Hold {
  readonly cause: string
  readonly detail: string
  /** Of the failure, for the dead letter that a person may make of it. */
  readonly fingerprint: string
}

/** The event stays the head of its lane, which waits for a person. @throws SluiceError `lease_lost`; nothing is written then. */
export async function holdRun(tx: Queryable, run: LaneRun, { cause, detail, fingerprint }: Hold): Promise<void> {
  const values = [...holder(run), run.position, cause, detail, fingerprint]
  refuseUnless(await isTrue(tx, 'SELECT sluice.hold_run($1, $2, $3, $4, $5, $6, $7, $8) AS held', values))
}

async function isTrue(queryable: Queryable, sql: string, values: readonly unknown[]): Promise<boolean> {
  const { rows } = await queryable.query<{ held: boolean }>(sql, values)
  return rows[0]?.held === true
}

export const leaseLost = (): SluiceError =>
  new SluiceError('lease_lost', 'Another run has the lane now; this one changes nothing any more')

function refuseUnless(held: boolean): void {
  if (!held) throw leaseLost()
}
