// The lanes of a modelled function: events that wait, by key, and their runs. Outlives the function's process.
//
// L1  One run of a lane at a time, in the order in which events were parked; what follows a failed event waits behind it.
// L2  A run counts when it begins. One that dies with its process holds its lane until the lease runs out.
// L3  An event that failed as often as its contract allows becomes a dead letter, and the lane goes on; or, where the contract
//     says `hold`, the lane waits for a person, who never comes here.

import { backoffDelay, type BackoffOptions, type Clock } from '../../shared/time/index.ts'
import type { Random } from './seeded-random.ts'
import type { Timeline } from './timeline.ts'
import type { Work } from './work.ts'

export interface LaneModelOptions {
  readonly delivery: {
    readonly attempts: number
    readonly backoff: BackoffOptions
    readonly onExhausted?: 'dead-letter' | 'hold'
  }
  readonly concurrency: number
}

export interface LaneModelDeps {
  readonly clock: Clock
  readonly random: Random
  readonly timeline: Timeline
  /** The function is up, and so is its database. */
  readonly canRun: () => boolean
  /** Undefined: the process died meanwhile. */
  readonly run: (work: Work) => Promise<'done' | 'failed' | undefined>
  readonly finish: (work: Work, how: 'done' | 'dead', why?: string) => void
}

export interface LaneModel {
  isOccupied(key: string): boolean
  park(work: Work, delayMs: number): void
  /** After a failed run. */
  retry(work: Work): 'parked' | 'held' | 'dead'
  /** No lane has an event that could run. */
  isIdle(): boolean
}

/** As the lane driver has them, in milliseconds. */
const leaseMs = 15_000
const lookAgainMs = 250
const offer = { from: 1, to: 10 }

export function createLaneModel(options: LaneModelOptions, deps: LaneModelDeps): LaneModel {
  const { delivery, concurrency } = options
  const { clock, random, timeline, canRun, finish } = deps
  const lanes = new Map<string, Work[]>()
  const busy = new Set<string>()
  const held = new Set<string>()

  const lookAt = (key: string, delayMs: number): void =>
    void clock.after(delayMs + random.between(offer), () => void offerHead(key))

  async function offerHead(key: string): Promise<void> {
    const [head] = lanes.get(key) ?? []
    if (head === undefined || busy.has(key)) return
    if (!canRun() || busy.size >= concurrency) {
      lookAt(key, lookAgainMs)
      return
    }
    busy.add(key)
    const work = { ...head, attempts: head.attempts + 1 }
    replaceHead(key, work)
    const how = await deps.run(work)
    if (how === undefined) {
      timeline.note(
        'lane',
        `${work.label} run ${work.attempts} died with its process; its lease runs for ${leaseMs / 1_000} s`,
      )
      await clock.sleep(leaseMs)
    }
    busy.delete(key)
    if (how === 'done') {
      removeHead(key)
      finish(work, 'done')
    } else if (how === 'failed') {
      removeHead(key)
      if (retry(work) !== 'dead') return
    } else if (work.attempts >= delivery.attempts) {
      removeHead(key)
      if (exhausted(work, 'its last run died') !== 'dead') return
    }
    if (lanes.has(key)) lookAt(key, 0)
  }

  const replaceHead = (key: string, work: Work): void => {
    lanes.set(key, [work, ...(lanes.get(key) ?? []).slice(1)])
  }

  function removeHead(key: string): void {
    const rest = (lanes.get(key) ?? []).slice(1)
    if (rest.length === 0) lanes.delete(key)
    else lanes.set(key, rest)
  }

  function retry(work: Work): 'parked' | 'held' | 'dead' {
    const tries = `${work.attempts} of ${delivery.attempts}`
    if (work.attempts >= delivery.attempts) return exhausted(work, `failed in all of its ${work.attempts} runs`)
    const delayMs = backoffDelay(delivery.backoff, work.attempts, random.next)
    timeline.note('lane', `${work.label} failed (run ${tries}), again in ${Math.round(delayMs)} ms`)
    putBack(work)
    lookAt(work.key, delayMs)
    return 'parked'
  }

  function exhausted(work: Work, why: string): 'held' | 'dead' {
    if (delivery.onExhausted !== 'hold') {
      finish(work, 'dead', why)
      return 'dead'
    }
    timeline.note('lane', `${work.label} is held for a person: ${why}`)
    putBack(work)
    held.add(work.key)
    return 'held'
  }

  const putBack = (work: Work): void => void lanes.set(work.key, [work, ...(lanes.get(work.key) ?? [])])

  return {
    isOccupied: (key) => lanes.has(key),
    park: (work, delayMs) => {
      const before = lanes.get(work.key) ?? []
      lanes.set(work.key, [...before, work])
      timeline.note('lane', `${work.label} parked${before.length === 0 ? '' : ` behind ${before.length}`}`)
      if (before.length === 0) lookAt(work.key, delayMs)
    },
    retry,
    isIdle: () => [...lanes.keys()].every((key) => held.has(key)),
  }
}
