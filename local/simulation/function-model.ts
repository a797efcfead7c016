// A function as its sources meet it: a process that comes and goes, its receiver with a bounded number of places, and the
// network in between. What becomes of an event is decided in delivery-model.ts.
//
// F1  What was answered with 2xx outlives the process; a process that dies answers nothing more.
// F2  The work of a request goes on when its client has given up, as in a real handler.

import type { EventFunction } from '../../shared/function/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { isFolded, type SendOptions, type SendOutcome, type Sender, type SinkRequest } from '../kafka-source/index.ts'
import { createDeliveryModel, type DeliveryModel, type Life } from './delivery-model.ts'
import { createActiveFaults, type Fault } from './fault.ts'
import type { Random, Range } from './seeded-random.ts'
import type { Timeline } from './timeline.ts'
import { labelOfRequest } from './work.ts'

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

export interface FunctionModel extends Sender, Pick<DeliveryModel, 'ended' | 'done'> {
  /** SIGKILL: its connections break, its runs end without a word. */
  kill(): void
  start(): void
  /** Nothing waits in a lane or runs. */
  isIdle(): boolean
  readonly counts: DeliveryModel['counts'] & {
    readonly requests: number
    readonly broken: number
    readonly answers: ReadonlyMap<number, number>
  }
}

interface RunningProcess extends Life {
  readonly kill: () => void
  places: number
}

const broken = (reason: string): SendOutcome => ({ kind: 'broken', reason })
const answered = (status: number): SendOutcome => ({ kind: 'answer', status, headers: [], body: Buffer.alloc(0) })

export function createFunctionModel(options: FunctionModelOptions, deps: FunctionModelDeps): FunctionModel {
  const { definition, paces } = options
  const { clock, random, timeline } = deps
  const draws = {
    network: random.stream('network'),
    acceptance: random.stream('acceptance'),
    luck: random.stream('answers'),
  }
  const faults = createActiveFaults(options.faults, clock)
  const traffic = { requests: 0, broken: 0, answers: new Map<number, number>() }
  let running: RunningProcess | undefined = startProcess()
  const delivery = createDeliveryModel(
    { definition, handler: paces.handler },
    { clock, random, timeline, faults, life: () => running },
  )

  async function receive(request: SinkRequest): Promise<SendOutcome> {
    await clock.sleep(draws.network.between(paces.network))
    if (isFolded(request)) return answered(400)
    const current = running
    if (current === undefined) return broken('connection refused')
    return Promise.race([serve(request, current), current.died.then(() => broken('connection reset'))])
  }

  async function serve(request: SinkRequest, current: RunningProcess): Promise<SendOutcome> {
    const [refusing] = faults.active('status')
    if (refusing !== undefined) return answered(refusing.status)
    if (current.places >= 2 * definition.scale.concurrency) return answered(503) // as many may wait as run
    current.places += 1
    try {
      const slowMs = faults.active('slow').reduce((sum, { ms }) => sum + ms, 0)
      await clock.sleep(draws.acceptance.between(paces.acceptance) + slowMs)
      const status = current.isOver() ? undefined : await delivery.take(request, current)
      if (status === undefined) return broken('connection reset')
      const isLost = status < 300 && faults.active('lost-answer').some(({ share }) => draws.luck.chance(share))
      return isLost ? broken('connection reset after the commit') : answered(status)
    } finally {
      current.places -= 1
    }
  }

  async function send(request: SinkRequest, options: SendOptions): Promise<SendOutcome> {
    traffic.requests += 1
    const outcome = await answeredInTime(receive(request), options, clock)
    if (outcome.kind === 'broken') traffic.broken += 1
    else traffic.answers.set(outcome.status, (traffic.answers.get(outcome.status) ?? 0) + 1)
    timeline.note(
      'source',
      `${labelOfRequest(request)} → ${outcome.kind === 'answer' ? outcome.status : outcome.reason}`,
    )
    return outcome
  }

  return {
    send,
    kill: () => {
      running?.kill()
      running = undefined
    },
    start: () => void (running ??= startProcess()),
    isIdle: () => delivery.isIdle() && (running?.places ?? 0) === 0,
    ended: delivery.ended,
    done: delivery.done,
    get counts() {
      return { ...traffic, ...delivery.counts }
    },
  }
}

function startProcess(): RunningProcess {
  const end = Promise.withResolvers<void>()
  let isOver = false
  const kill = (): void => {
    isOver = true
    end.resolve()
  }
  return { died: end.promise, isOver: () => isOver, kill, places: 0 }
}

/** The answer, or what the client makes of none: it gives up in time, or its own process ends. */
async function answeredInTime(
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
