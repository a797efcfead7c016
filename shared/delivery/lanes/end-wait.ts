// Makes lanes due that wait for a dependency.

import type { Database } from '../../database/index.ts'
import { laneChannel } from '../channels.ts'

export interface EndedWait {
  readonly function: string
  /** The dependency. */
  readonly waitsFor: string
  readonly most: number
}

/** In batches, so that no statement holds thousands of lanes. */
const batch = 500

const endSql = 'SELECT sluice.end_wait($1, $2, $3) AS ended'

/** Those that have waited longest come first. Returns how many. */
export async function endWait(
  database: Pick<Database, 'query' | 'notify'>,
  { function: name, waitsFor, most }: EndedWait,
): Promise<number> {
  let total = 0
  for (let asked = batch, ended = batch; ended === asked && total < most; total += ended) {
    asked = Math.min(batch, most - total)
    const { rows } = await database.query<{ ended: number }>(endSql, [name, waitsFor, asked])
    ended = rows[0]?.ended ?? 0
    if (ended > 0) await database.notify(laneChannel, name)
  }
  return total
}
