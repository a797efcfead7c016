// What waits in the outbox of memory writes.

import type { Queryable } from '../../shared/database/index.ts'

/** Milliseconds until the next write that nobody sends now is due; undefined when there is none. */
export async function nextDueMs(database: Queryable): Promise<number | undefined> {
  const { rows } = await database.query<{ ms: number }>(nextSql)
  return rows[0]?.ms
}

export async function waitingWrites(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ waiting: number }>(waitingSql)
  return rows[0]?.waiting ?? 0
}

const nextSql = `
  SELECT (extract(epoch FROM greatest(due_at, coalesce(lease_until, due_at)) - clock_timestamp()) * 1000)::double precision AS ms
  FROM agent.memory_write_outbox ORDER BY greatest(due_at, coalesce(lease_until, due_at)) LIMIT 1`

const waitingSql = `SELECT count(*)::integer AS waiting FROM agent.memory_write_outbox`
