// The driver's side of the lanes: taking due ones and giving back what nobody accepted.

import type { Queryable } from '../../database/index.ts'
import type { LaneHold } from './lane-run.ts'
import { leaseMs } from './lane-run.ts'

/** The head of a taken lane. Token and epoch are good for one start. */
export interface LaneOffer extends LaneHold {
  /** In the JSON format of CloudEvents. */
  readonly event: string
  readonly trace: string | null
  readonly tenant: string
}

/** What one tenant has of one function. */
export interface Share {
  readonly function: string
  readonly tenant: string
  readonly running: number
}

export interface TakeOptions {
  /** Lanes under way. */
  readonly busy: readonly Share[]
  /** Functions that get nothing now. */
  readonly resting: readonly string[]
  readonly perFunction: number
  readonly total: number
}

const takeSql = `SELECT function, key, tenant, token, epoch, event, trace FROM sluice.take_lanes(
  p_busy => $1, p_busy_tenants => $2, p_busy_counts => $3, p_resting => $4, p_per_function => $5, p_total => $6,
  p_lease_ms => ${leaseMs})`

export async function takeLanes(
  database: Queryable,
  { busy, resting, perFunction, total }: TakeOptions,
): Promise<readonly LaneOffer[]> {
  const { rows } = await database.query<LaneOffer>(takeSql, [
    busy.map(({ function: name }) => name),
    busy.map(({ tenant }) => tenant),
    busy.map(({ running }) => running),
    resting,
    perFunction,
    total,
  ])
  return rows
}

/** Milliseconds until the next lane becomes due; undefined when none waits for its time. */
export async function nextDueMs(database: Queryable): Promise<number | undefined> {
  const { rows } = await database.query<{ due: number | null }>('SELECT sluice.next_due_ms() AS due')
  return rows[0]?.due ?? undefined
}

/** Does nothing when the run started after all, or the lane went elsewhere. */
export async function giveBackLane(
  database: Queryable,
  { function: name, key, token, epoch }: LaneHold,
  delayMs: number,
): Promise<void> {
  await database.query('SELECT sluice.give_back_lane($1, $2, $3, $4, $5)', [
    name,
    key,
    token,
    epoch,
    Math.ceil(delayMs),
  ])
}
