// The lanes of a modelled function: events that wait, by key, and their runs. Outlives the function's process.
//
// L1  One run of a lane at a time, in the order in which events were parked; what follows a failed event waits behind it.
// L2  A run counts when it begins. One that dies with its process holds its lane until the lease runs out.
// L3  An event that failed as often as its contract allows becomes a dead letter, and the lane goes on.

import { backoffDelay, type BackoffOptions, type Clock } from '../../shared/time/index.ts'
import type { Random } from './seeded-random.ts'
import type { Timeline } from './timeline.ts'

/** An event that was taken. */
export interface Work {
  /** Source and id. */
  readonly identity: string
  /** Its id and its key, where it has one. */
  readonly names: readonly string[]
  /** Of its lane. */
  readonly key: string
  /** Topic and partition. */
  readonly place: string
  /** Its offset there. */
  readonly order: number
  readonly label: string
  readonly attempts: number
}

export interface LaneModelOptions {
  readonly delivery: { readonly attempts: number; readonly backoff: BackoffOptions }
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
  /** After a failed run: parked again or a dead letter. */
  retry(work: Work): 'parked' | 'dead'
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
      if (retryHead(work) === 'parked') return
    } else if (work.attempts >= delivery.attempts) {
      removeHead(key)
      finish(work, 'dead', 'attempts_exhausted')
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

  function retryHead(work: Work): 'parked' | 'dead' {
    if (work.attempts >= delivery.attempts) {
      finish(work, 'dead', `failed ${work.attempts} times`)
      return 'dead'
    }
    const delayMs = backoffDelay(delivery.backoff, work.attempts, random.next)
    timeline.note(
      'lane',
      `${work.label} failed (run ${work.attempts} of ${delivery.attempts}), again in ${Math.round(delayMs)} ms`,
    )
    lanes.set(work.key, [work, ...(lanes.get(work.key) ?? [])])
    lookAt(work.key, delayMs)
    return 'parked'
  }

  return {
    isOccupied: (key) => lanes.has(key),
    park: (work, delayMs) => {
      const before = lanes.get(work.key) ?? []
      lanes.set(work.key, [...before, work])
      timeline.note('lane', `${work.label} parked${before.length === 0 ? '' : ` behind ${before.length}`}`)
      if (before.length === 0) lookAt(work.key, delayMs)
    },
    retry: retryHead,
    isIdle: () => lanes.size === 0,
  }
}
