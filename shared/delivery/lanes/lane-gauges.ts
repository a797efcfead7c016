// How much waits in lanes, by function, as gauges. Counted in the database, so one process tells it for all.

import type { Queryable } from '../../database/index.ts'
import type { Instruments } from '../../telemetry/index.ts'

type LaneGauges = Pick<Instruments, 'parkedEvents' | 'parkedOldest' | 'lanesHeld' | 'lanesWaiting'>

interface Backlog {
  readonly function: string
  readonly events: number
  readonly oldest: number
  readonly held: number
  readonly waiting: number
}

const countSql = `SELECT function, events, greatest(0, oldest) AS oldest, coalesce(held, 0) AS held, coalesce(waiting, 0) AS waiting
FROM (SELECT function, count(*)::int AS events, extract(epoch FROM clock_timestamp() - min(at))::float8 AS oldest
      FROM sluice.parked GROUP BY function) AS events
LEFT JOIN (SELECT function, count(*) FILTER (WHERE held IS NOT NULL)::int AS held,
                  count(*) FILTER (WHERE waits_for IS NOT NULL)::int AS waiting
           FROM sluice.lane GROUP BY function) AS lanes USING (function)`

/** Functions that have had a backlog are told as 0 when they have none any more. */
export function createLaneGauges(gauges: LaneGauges): { refresh(database: Queryable): Promise<void> } {
  const known = new Set<string>()
  return {
    refresh: async (database) => {
      const { rows } = await database.query<Backlog>(countSql)
      const backlogs = new Map(rows.map((row) => [row.function, row]))
      for (const name of backlogs.keys()) known.add(name)
      for (const name of known) {
        const { events = 0, oldest = 0, held = 0, waiting = 0 } = backlogs.get(name) ?? {}
        gauges.parkedEvents.set({ function: name }, events)
        gauges.parkedOldest.set({ function: name }, oldest)
        gauges.lanesHeld.set({ function: name }, held)
        gauges.lanesWaiting.set({ function: name }, waiting)
      }
    },
  }
}
