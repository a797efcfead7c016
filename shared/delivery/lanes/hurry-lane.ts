// Lets a lane that waits for its next try go on now: what it waits for has changed. Never takes a lane from a run.

import type { Database } from '../../database/index.ts'
import { laneChannel } from '../channels.ts'

const hurrySql = `UPDATE sluice.lane SET due_at = clock_timestamp()
WHERE function = $1 AND key = $2 AND token IS NULL AND held IS NULL AND due_at > clock_timestamp()`

export interface HurriedLane {
  readonly function: string
  readonly key: string
}

/** Returns whether the lane was waiting. */
export async function hurryLane(
  database: Pick<Database, 'query' | 'notify'>,
  { function: name, key }: HurriedLane,
): Promise<boolean> {
  const { rowCount } = await database.query(hurrySql, [name, key])
  if (rowCount > 0) await database.notify(laneChannel, name)
  return rowCount > 0
}
