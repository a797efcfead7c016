// What an event that was parked at the head of a new lane waits for. In the transaction that parked it, which holds the key.

import type { Queryable } from '../../database/index.ts'
import type { Hold } from './lane-run.ts'

interface NewLane {
  readonly function: string
  readonly key: string
}

const holdSql = 'UPDATE sluice.lane SET held = $3, fingerprint = $4 WHERE function = $1 AND key = $2'

export async function holdNewLane(
  tx: Queryable,
  { function: name, key, cause, fingerprint }: NewLane & Omit<Hold, 'detail'>,
): Promise<void> {
  await tx.query(holdSql, [name, key, cause, fingerprint])
}

const waitSql = 'UPDATE sluice.lane SET waits_for = $3 WHERE function = $1 AND key = $2'

export async function letNewLaneWait(
  tx: Queryable,
  { function: name, key, waitsFor }: NewLane & { readonly waitsFor: string },
): Promise<void> {
  await tx.query(waitSql, [name, key, waitsFor])
}
