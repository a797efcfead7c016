// A function as its sources meet it: what its receiver promises by contract, without its handler. Durations, failures and
// faults are drawn from the seed.
//
//   request ─▶ place free? ─▶ decode, schema ─▶ inbox ─▶ lane of the key ─▶ answer
//               no: 503        no: dead letter,   known: 200   transaction, empty: runs now, 200, or parked, 202
//                              202                             steps, or occupied: parked behind, 202
//
// F1  What was answered with 2xx outlives the process; a process that dies answers nothing and commits nothing more.
// F2  The time of a request goes on when its client has given up, as in a real handler.

import { decodeHttpEvent, type CloudEvent, type DecodedEvent } from '../../shared/events/index.ts'
import type { EventFunction } from '../../shared/function/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { isFolded, type SendOptions, type SendOutcome, type Sender, type SinkRequest } from '../kafka-source/index.ts'
import { isWithin, type Fault } from './fault.ts'
import { createLaneModel, type LaneModel, type Work } from './lane-model.ts'
import type { Random, Range } from './seeded-random.ts'
import type { Timeline } from './timeline.ts'

/** Milliseconds. */
export interface Paces {
  readonly network: Range
  /** From the body to the answer, without a handler. */
  readonly acceptance: Range
  readonly handler: Range
}

export interface FunctionModelOptions {
  readonly definition: EventFunction
  readonly faults: readonly Fault[]
  readonly paces: Paces
}

export interface FunctionModelDeps {
  readonly clock: Clock
  readonly random: Random
  readonly timeline: Timeline
}

export interface FunctionModel extends Sender {
  /** SIGKILL: its connections break, its runs end without a word. */
  kill(): void
  start(): void
  /** Nothing waits in a lane or runs. */
  isIdle(): boolean
  readonly ended: ReadonlyMap<string, 'done' | 'dead'>
  readonly counts: Counts
  /** In the order in which they were done, by key. */
  readonly done: ReadonlyMap<string, readonly Work[]>
}

export interface Counts {
  readonly requests: number
  readonly broken: number
  readonly duplicates: number
  readonly runs: number
  readonly answers: ReadonlyMap<number, number>
}

/** One life of the process. */
interface Life {
  readonly died: PromiseWithResolvers<SendOutcome>
  running: number
  isOver: boolean
}

const broken = (reason: string): SendOutcome => ({ kind: 'broken', reason })
const answered = (status: number): SendOutcome => ({ kind: 'answer', status, headers: [], body: Buffer.alloc(0) })

export function createFunctionModel(options: FunctionModelOptions, deps: FunctionModelDeps): FunctionModel {
  const { definition, faults, paces } = options
  const { clock, timeline } = deps
  const startMs = clock.now()
  const random = {
    network: deps.random.stream('network'),
    work: deps.random.stream('work'),
    luck: deps.random.stream('luck'),
  }
  const inbox = new Set<string>()
  const ended = new Map<string, 'done' | 'dead'>()
  const done = new Map<string, Work[]>()
  const claimed = new Set<string>()
  const counts = { requests: 0, broken: 0, duplicates: 0, runs: 0, answers: new Map<number, number>() }
  let life: Life | undefined = newLife()

  const active = <K extends Fault['kind']>(kind: K): readonly Extract<Fault, { kind: K }>[] =>
    faults.filter(
      (fault): fault is Extract<Fault, { kind: K }> =>
        fault.kind === kind && isWithin(fault.window, clock.now() - startMs),
    )

  const fails = ({ names }: Work): boolean =>
    active('poison').some(({ value }) => names.includes(value)) ||
    active('fail').some(({ share }) => random.luck.chance(share))

  /** Undefined: the process died meanwhile. */
  async function run(work: Work, current: Life): Promise<'done' | 'failed' | undefined> {
    counts.runs += 1
    await Promise.race([clock.sleep(random.work.between(paces.handler)), current.died.promise])
    if (current.isOver) return undefined
    return fails(work) ? 'failed' : 'done'
  }

  function finish(work: Work, how: 'done' | 'dead', why = ''): void {
    ended.set(work.identity, how)
    if (how === 'done') done.set(work.key, [...(done.get(work.key) ?? []), work])
    timeline.note('function', how === 'done' ? `${work.label} done` : `${work.label} is a dead letter: ${why}`)
  }

  const lanes: LaneModel = createLaneModel(
    { delivery: definition.delivery, concurrency: definition.scale.concurrency },
    {
      clock,
      random: deps.random.stream('lanes'),
      timeline,
      canRun: () => life !== undefined && !active('status').some(({ status }) => status >= 500),
      run: (work) => (life === undefined ? Promise.resolve(undefined) : run(work, life)),
      finish,
    },
  )

  async function receive(request: SinkRequest): Promise<SendOutcome> {
    await clock.sleep(random.network.between(paces.network))
    if (isFolded(request)) return answered(400)
    const current = life
    if (current === undefined) return broken('connection refused')
    return Promise.race([serve(request, current), current.died.promise])
  }

  async function serve(request: SinkRequest, current: Life): Promise<SendOutcome> {
    const [refusing] = active('status')
    if (refusing !== undefined) return answered(refusing.status)
    if (current.running >= 2 * definition.scale.concurrency) return answered(503) // as many may wait as run
    current.running += 1
    try {
      const slowMs = active('slow').reduce((sum, { ms }) => sum + ms, 0)
      await clock.sleep(random.work.between(paces.acceptance) + slowMs)
      const status = current.isOver ? undefined : await decide(request, current)
      if (status === undefined) return broken('connection reset')
      if (status < 300 && active('lost-answer').some(({ share }) => random.luck.chance(share)))
        return broken('connection reset after the commit')
      return answered(status)
    } finally {
      current.running -= 1
    }
  }

  /** Undefined: the process died before anything was durable. */
  async function decide(request: SinkRequest, current: Life): Promise<number | undefined> {
    const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]))
    const decoded = decodeHttpEvent({ headers, body: request.body ?? Buffer.alloc(0) }, { bind: () => undefined })
    if (!decoded.ok) return refused(decoded.message)
    const work = workOf(decoded, definition)
    if (inbox.has(work.identity)) return duplicate(work)
    const fault = faultOf(decoded.event, definition)
    if (definition.execution === 'stateless') return fault === undefined ? runStateless(work, current) : 400
    if (fault !== undefined) {
      inbox.add(work.identity)
      finish(work, 'dead', fault)
      return 202
    }
    return definition.execution === 'transaction' && !lanes.isOccupied(work.key)
      ? runAtOnce(work, current)
      : parked(work)
  }

  function refused(message: string): number {
    timeline.note('function', `an event that cannot be read is a dead letter: ${message}`)
    return 202
  }

  function duplicate(work: Work): number {
    counts.duplicates += 1
    timeline.note('function', `${work.label} was taken before`)
    return 200
  }

  function parked(work: Work): number {
    inbox.add(work.identity)
    lanes.park(work, 0)
    return 202
  }

  async function runStateless(work: Work, current: Life): Promise<number | undefined> {
    const how = await run(work, current)
    if (how === 'done') finish(work, 'done')
    return how === undefined ? undefined : how === 'done' ? 200 : 503
  }

  async function runAtOnce(work: Work, current: Life): Promise<number | undefined> {
    if (claimed.has(work.key)) return 503 // its lock is taken
    claimed.add(work.key)
    try {
      const how = await run(work, current)
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

  async function send(request: SinkRequest, { timeoutMs, signal }: SendOptions): Promise<SendOutcome> {
    counts.requests += 1
    const outcome = await within(receive(request), { timeoutMs, signal }, clock)
    if (outcome.kind === 'broken') counts.broken += 1
    else counts.answers.set(outcome.status, (counts.answers.get(outcome.status) ?? 0) + 1)
    const whose = labelOfRequest(request)
    timeline.note('source', `${whose} → ${outcome.kind === 'answer' ? outcome.status : outcome.reason}`)
    return outcome
  }

  return {
    send,
    kill: () => {
      if (life === undefined) return
      life.isOver = true
      life.died.resolve(broken('connection reset'))
      life = undefined
    },
    start: () => void (life ??= newLife()),
    isIdle: () => lanes.isIdle() && (life?.running ?? 0) === 0,
    ended,
    done,
    counts,
  }
}

const newLife = (): Life => ({ died: Promise.withResolvers<SendOutcome>(), running: 0, isOver: false })

/** The answer, or what the client makes of none: it gives up in time, or its own process ends. */
async function within(
  work: Promise<SendOutcome>,
  { timeoutMs, signal }: SendOptions,
  clock: Clock,
): Promise<SendOutcome> {
  const late = new AbortController()
  const limit = clock.sleep(timeoutMs, AbortSignal.any([signal, late.signal])).then(
    () => broken(`no answer within ${timeoutMs} ms`),
    () => broken('the source ends'),
  )
  const outcome = await Promise.race([work, limit])
  late.abort()
  signal.throwIfAborted()
  return outcome
}

function workOf({ event, topic = '', partition, offset, key }: DecodedEvent, { ordering }: EventFunction): Work {
  const identity = `${event.source}\n${event.id}`
  const place = `${topic}/${partition}`
  return {
    identity,
    names: key === undefined ? [event.id] : [event.id, key],
    key: ordering === 'key' ? (key ?? `partition:${place}`) : identity,
    place,
    order: offset ?? 0,
    attempts: 0,
    label: labelOf({ topic, partition, offset, key }),
  }
}

interface Place {
  readonly topic: string
  readonly partition?: number | string | undefined
  readonly offset?: number | string | undefined
  readonly key?: string | undefined
}

const labelOf = ({ topic, partition, offset, key }: Place): string =>
  `${topic}/${partition}#${offset}${key === undefined ? '' : ` (${key})`}`

function labelOfRequest({ headers }: SinkRequest): string {
  const value = (name: string): string | undefined => headers.find(([one]) => one === name)?.[1]
  const [partition, offset] = [value('ce-knativekafkapartition'), value('ce-knativekafkaoffset')]
  return labelOf({ topic: value('ce-sluicetopic') ?? '', partition, offset, key: value('ce-partitionkey') })
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
