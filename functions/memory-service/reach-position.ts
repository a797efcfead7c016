// Waits until the replica has a write. It looks again and again, soon at first: a write is usually there within milliseconds.

import type { Queryable } from '../../shared/database/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Position } from '../../shared/memory/index.ts'
import type { Clock } from '../../shared/time/index.ts'

export interface Reaching {
  readonly tenant: string
  readonly position: Position
  /** Longest wait, in milliseconds. */
  readonly waitMs: number
  /** Ends the wait early. */
  readonly signal: AbortSignal
}

export interface ReachDeps {
  readonly database: Queryable
  readonly clock: Clock
}

const firstPauseMs = 10
const longestPauseMs = 250

/**
 * Resolves when the replica has the write.
 * @throws SluiceError `replica_behind` when the time is up, `invalid_request` for a position that was never given out,
 * `draining` when the signal ends the wait.
 */
export async function reachPosition(
  { tenant, position, waitMs, signal }: Reaching,
  { database, clock }: ReachDeps,
): Promise<void> {
  const end = clock.monotonic() + waitMs
  for (let pauseMs = firstPauseMs; !(await hasReached(database, tenant, position)); pauseMs *= 2) {
    const leftMs = end - clock.monotonic()
    if (leftMs <= 0) {
      throw new SluiceError('replica_behind', 'The replica does not have the write yet', { retryAfterMs: 1_000 })
    }
    await clock.sleep(Math.min(pauseMs, longestPauseMs, leftMs), signal).catch(() => {
      throw new SluiceError('draining', 'The process is shutting down', { retryAfterMs: 1_000 })
    })
  }
}

async function hasReached(database: Queryable, tenant: string, { key, sequence }: Position): Promise<boolean> {
  const { rows } = await database.query<{ written: number | null; replicated: number | null }>(stateSql, [tenant, key])
  const { written = null, replicated = null } = rows[0] ?? {}
  if (written === null || written < sequence) {
    throw new SluiceError('invalid_request', 'No write has this position', {
      details: { detail: 'body.after is not the position of a write' },
    })
  }
  return replicated !== null && replicated >= sequence
}

const stateSql = `
  SELECT (SELECT sequence FROM agent.memory_record WHERE tenant = $1 AND key = $2) AS written,
         (SELECT sequence FROM agent.memory_replica WHERE tenant = $1 AND key = $2 AND newest) AS replicated`
