// How long the events that a kill interrupted waited for their next run.

import type { Effect } from './history.ts'
import type { RunBegun } from '../workload/process-deps.ts'

export interface Kill {
  readonly pid: number
  readonly at: number
}

/**
 * Milliseconds from each kill to the next run of each event that had begun in the killed process and had no effect there.
 * Events that began long before the kill had failed there for another reason.
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
      return next === undefined ? [] : [next.at - at]
    })
  })
}

const interruptedWithinMs = 1_000
