// What delivery promises of an event, without its tables and without a handler: inbox, lanes, attempts, dead letters. Outlives
// the function's process. Runs take and fail as the seed draws.
//
//   decode, schema ─▶ inbox ─▶ lane of the key ─▶ answer
//   no: dead letter,  known:   transaction, empty: runs now, 200, or is parked, 202
//       202             200    steps, or occupied: parked behind, 202
//
// M1  What a process had not committed when it died was never done.

import { decodeHttpEvent, type CloudEvent } from '../../shared/events/index.ts'
import type { EventFunction } from '../../shared/function/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { SinkRequest } from '../kafka-source/index.ts'
import type { ActiveFaults } from './fault.ts'
import { createLaneModel } from './lane-model.ts'
import type { Random, Range } from './seeded-random.ts'
import type { Timeline } from './timeline.ts'
import { workOf, type Work } from './work.ts'

/** One life of the function's process. */
export interface Life {
  readonly died: Promise<unknown>
  readonly isOver: () => boolean
}

export interface DeliveryModelOptions {
  readonly definition: EventFunction
  /** Milliseconds. */
  readonly handler: Range
}

export interface DeliveryModelDeps {
  readonly clock: Clock
  readonly random: Random
  readonly timeline: Timeline
  readonly faults: ActiveFaults
  /** Undefined: the process is away. */
  readonly life: () => Life | undefined
}

export interface DeliveryModel {
  /** The status of the answer. Undefined: the process died before anything was durable. */
  take(request: SinkRequest, life: Life): Promise<number | undefined>
  /** No lane has an event. */
  isIdle(): boolean
  readonly ended: ReadonlyMap<string, 'done' | 'dead'>
  /** In the order in which they were done, by lane. */
  readonly done: ReadonlyMap<string, readonly Work[]>
  readonly counts: { readonly runs: number; readonly duplicates: number }
}

export function createDeliveryModel(
  { definition, handler }: DeliveryModelOptions,
  { clock, random, timeline, faults, life }: DeliveryModelDeps,
): DeliveryModel {
  const draws = { handler: random.stream('handler'), luck: random.stream('luck') }
  const inbox = new Set<string>()
  const ended = new Map<string, 'done' | 'dead'>()
  const done = new Map<string, Work[]>()
  const claimed = new Set<string>()
  const counts = { runs: 0, duplicates: 0 }

  const fails = ({ names }: Work): boolean =>
    faults.active('poison').some(({ value }) => names.includes(value)) ||
    faults.active('fail').some(({ share }) => draws.luck.chance(share))

  /** Undefined: the process died meanwhile. */
  async function run(work: Work, within: Life | undefined): Promise<'done' | 'failed' | undefined> {
    if (within === undefined) return undefined
    counts.runs += 1
    await Promise.race([clock.sleep(draws.handler.between(handler)), within.died])
    if (within.isOver()) return undefined
    return fails(work) ? 'failed' : 'done'
  }

  function finish(work: Work, how: 'done' | 'dead', why = ''): void {
    ended.set(work.identity, how)
    if (how === 'done') done.set(work.key, [...(done.get(work.key) ?? []), work])
    timeline.note('function', how === 'done' ? `${work.label} done` : `${work.label} is a dead letter: ${why}`)
  }

  const lanes = createLaneModel(
    { delivery: definition.delivery, concurrency: definition.scale.concurrency },
    {
      clock,
      random: random.stream('lanes'),
      timeline,
      canRun: () => life() !== undefined && !faults.active('status').some(({ status }) => status >= 500),
      run: (work) => run(work, life()),
      finish,
    },
  )

  async function take(request: SinkRequest, within: Life): Promise<number | undefined> {
    const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]))
    const decoded = decodeHttpEvent({ headers, body: request.body ?? Buffer.alloc(0) }, { bind: () => undefined })
    if (!decoded.ok) {
      timeline.note('function', `an event that cannot be read is a dead letter: ${decoded.message}`)
      return 202
    }
    const work = workOf(decoded, definition)
    if (inbox.has(work.identity)) return duplicate(work)
    const fault = faultOf(decoded.event, definition)
    if (definition.execution === 'stateless') return fault === undefined ? runStateless(work, within) : 400
    if (fault === undefined && definition.execution === 'transaction' && !lanes.isOccupied(work.key))
      return runAtOnce(work, within)
    inbox.add(work.identity)
    if (fault === undefined) lanes.park(work, 0)
    else finish(work, 'dead', fault)
    return 202
  }

  function duplicate(work: Work): number {
    counts.duplicates += 1
    timeline.note('function', `${work.label} was taken before`)
    return 200
  }

  async function runStateless(work: Work, within: Life): Promise<number | undefined> {
    const how = await run(work, within)
    if (how === 'done') finish(work, 'done')
    if (how === undefined) return undefined
    return how === 'done' ? 200 : 503
  }

  async function runAtOnce(work: Work, within: Life): Promise<number | undefined> {
    if (claimed.has(work.key)) return 503 // its lock is taken
    claimed.add(work.key)
    try {
      const how = await run(work, within)
      if (how === undefined) return undefined
      inbox.add(work.identity)
      if (how === 'done') {
        finish(work, 'done')
        return 200
      }
      lanes.retry({ ...work, attempts: 1 })
      return 202
    } finally {
      claimed.delete(work.key)
    }
  }

  return { take, isIdle: lanes.isIdle, ended, done, counts }
}

/** Why an event is none of the function's, by its contract. */
function faultOf({ type, data }: CloudEvent, { consumes }: EventFunction): string | undefined {
  if (!isList(consumes)) return undefined
  const consumed = consumes.find((one) => one.type.type === type)
  if (consumed === undefined) return `${type} is not consumed`
  return consumed.type.validate(data) ? undefined : consumed.type.explain(data)
}

const isList = (
  consumes: EventFunction['consumes'],
): consumes is Extract<EventFunction['consumes'], readonly unknown[]> => Array.isArray(consumes)
