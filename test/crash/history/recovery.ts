// How long the events that a kill interrupted waited for their next run.

import type { Effect } from './history.ts'
import type { RunBegun } from '../workload/process-deps.ts'

export interface Kill {
  readonly name: string
  readonly pid: number
  readonly at: number
}

/** The name under which the end of a whole run is noted when it was cut short and is resumed. */
export const everything = 'everything'
const beginAnew: ReadonlySet<string> = new Set(['outbox-sync', everything])

/**
 * Milliseconds from each kill to the next run of each event that had begun in the killed process and had no effect there.
 * Events that began long before the kill had failed there for another reason. When the lane driver was killed in between, it
 * may have died with the lane in its hands, so the time is that from its kill.
 */
export function recoveryTimes(
  kills: readonly Kill[],
  { runs, effects }: { readonly runs: readonly RunBegun[]; readonly effects: readonly Effect[] },
): readonly number[] {
  const byEvent = Map.groupBy(runs, ({ actor, id }) => `${actor} ${id}`)
  const byPid = Map.groupBy(runs, ({ pid }) => pid)
  const settledBy = new Map(effects.map(({ actor, id, pid }) => [`${actor} ${id}`, pid]))
  return kills.flatMap(({ pid, at }) => {
    const interrupted = (byPid.get(pid) ?? []).filter(
      (run) => at - run.at < interruptedWithinMs && settledBy.get(`${run.actor} ${run.id}`) !== pid,
    )
    return interrupted.flatMap(({ actor, id, at: begunAt }) => {
      const ofEvent = byEvent.get(`${actor} ${id}`) ?? []
      if (ofEvent.some((run) => run.at > begunAt && run.at <= at)) return [] // it ran again before the kill
      const next = ofEvent.find((run) => run.at > at)
      if (next === undefined) return []
      const again = kills.filter((kill) => beginAnew.has(kill.name) && kill.at > at && kill.at < next.at)
      return [next.at - Math.max(at, ...again.map((kill) => kill.at))]
    })
  })
}

const interruptedWithinMs = 1_000
