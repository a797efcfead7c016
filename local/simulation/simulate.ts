// A function and its sources in virtual time, under a seed: hours of events, back-offs and faults in seconds. What is real is
// the KafkaSource twin, the contract, decoding and schemas; what is modelled is the log, the network, time and the function.
//
// S1  The same seed, events and faults give the same timeline, to the microsecond.

import { topicOf, type CloudEvent } from '../../shared/events/index.ts'
import type { EventFunction } from '../../shared/function/index.ts'
import { createLogger, type Logger } from '../../shared/telemetry/index.ts'
import {
  upstreamTiming,
  type KafkaSourceDeps,
  type KafkaSourceSpec,
  type RecordOutcome,
  type SourceRecord,
} from '../kafka-source/index.ts'
import { planArrivals, type Arrivals } from './arrivals.ts'
import { startDispatcher, type DispatcherProcess } from './dispatcher-process.ts'
import type { Fault } from './fault.ts'
import { createFunctionModel, type FunctionModel, type Paces } from './function-model.ts'
import { createMemoryLog, type MemoryLog } from './memory-log.ts'
import { createRandom, type Random } from './seeded-random.ts'
import { createTimeline, type Timeline, type TimelineEntry } from './timeline.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

export interface SimulationOptions {
  readonly definition: EventFunction
  /** The sources of the function. */
  readonly sources: readonly KafkaSourceSpec[]
  readonly events: readonly CloudEvent[]
  readonly seed: string
  readonly faults: readonly Fault[]
  readonly paces: Paces
  /** Virtual milliseconds after the last event in which everything should have ended. */
  readonly longestMs: number
}

export interface SimulationReport {
  readonly entries: readonly TimelineEntry[]
  readonly events: number
  readonly skipped: number
  readonly requests: number
  readonly answers: ReadonlyMap<number, number>
  readonly broken: number
  readonly duplicates: number
  readonly runs: number
  readonly done: number
  readonly dead: number
  /** Records that neither the function nor a dead letter sink took. */
  readonly dropped: number
  /** Records about which nothing was decided when the time was over. */
  readonly open: number
  /** Events that were done before an earlier one of their key, dead letters aside. */
  readonly overtaken: number
  readonly virtualMs: number
}

interface Simulation extends SimulationOptions {
  readonly random: Random
  readonly clock: VirtualClock
  readonly timeline: Timeline
  readonly log: MemoryLog
  readonly model: FunctionModel
  readonly logger: Logger
  readonly dropped: Set<string>
}

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { definition, sources, events, seed, faults, paces, longestMs } = options
  const random = createRandom(seed)
  const topics = new Set(sources.flatMap(({ spec }) => spec.topics))
  const planned = planArrivals(events, { topics, random: random.stream('arrivals') })
  const clock = createVirtualClock({ startMs: planned.startMs })
  const timeline = createTimeline(clock)
  const log = createMemoryLog((topic) => topicOf(topic)?.partitions ?? 1)
  const model = createFunctionModel({ definition, faults, paces }, { clock, random, timeline })
  const logger = createLogger({ function: 'simulation', level: 'silent' })
  const simulation: Simulation = { ...options, random, clock, timeline, log, model, logger, dropped: new Set() }

  const dispatchers = createDispatchers(simulation)
  await dispatchers.start()
  schedule(simulation, planned, dispatchers)
  const isEnded = endOf(simulation, planned)
  const lastMs = planned.arrivals.at(-1)?.atMs ?? 0
  await clock.run(isEnded, lastMs + longestMs)
  await dispatchers.stop()
  return reportOf(simulation, planned)
}

interface Dispatchers {
  start(): Promise<void>
  kill(): Promise<void>
  terminate(): Promise<void>
  stop(): Promise<void>
}

/** One process with all sources of the function, as on a small cluster. */
function createDispatchers({ sources, random, clock, timeline, log, model, logger, dropped }: Simulation): Dispatchers {
  const spans = random.stream('spans')
  const hex = (): string =>
    Math.floor(spans.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  let processes: readonly DispatcherProcess[] = []
  const onOutcome = (record: SourceRecord, outcome: RecordOutcome): void => {
    if (outcome.kind === 'delivered') return
    const place = placeOf(record)
    if (outcome.kind === 'dropped') dropped.add(place)
    timeline.note('source', `${place} ${outcome.kind}: ${outcome.cause}`)
  }
  const deps: KafkaSourceDeps = { log, sender: model, clock, logger, onOutcome, spanId: () => `${hex()}${hex()}` }
  const endAll = async (end: (one: DispatcherProcess) => Promise<void>): Promise<void> => {
    const ending = processes
    processes = []
    await Promise.all(ending.map(end))
  }
  return {
    start: async () => {
      if (processes.length > 0) return
      processes = await Promise.all(sources.map((source) => startDispatcher({ source, ...upstreamTiming }, deps)))
    },
    kill: () => endAll((one) => one.kill()),
    terminate: () => endAll((one) => one.terminate()),
    stop: () => endAll((one) => one.terminate()),
  }
}

function schedule(
  { clock, timeline, log, model, faults }: Simulation,
  planned: Arrivals,
  dispatchers: Dispatchers,
): void {
  for (const { atMs, record } of planned.arrivals) {
    clock.after(atMs, () => {
      timeline.note('log', `${placeOf(record)} arrives`)
      log.append([record])
    })
  }
  const at = (ms: number, text: string, deed?: () => unknown): void => {
    if (!Number.isFinite(ms)) return
    clock.after(ms, () => {
      timeline.note('fault', text)
      void deed?.()
    })
  }
  for (const { kind, window, ...fault } of faults) {
    const what = 'status' in fault ? `${fault.status}` : kind
    if (kind === 'kill') {
      at(window.fromMs, 'the process of the function is killed', model.kill)
      at(window.toMs, 'the process of the function is back', model.start)
    } else if (kind === 'source-kill' || kind === 'source-term') {
      const end = kind === 'source-kill' ? dispatchers.kill : dispatchers.terminate
      at(window.fromMs, `the dispatcher is ended by ${kind === 'source-kill' ? 'SIGKILL' : 'SIGTERM'}`, end)
      at(window.toMs, 'the dispatcher is back', dispatchers.start)
    } else {
      at(window.fromMs, `${what} begins`)
      at(window.toMs, `${what} ends`)
    }
  }
}

/** Everything arrived and committed, and nothing left in a lane. */
function endOf({ log, model }: Simulation, { arrivals }: Arrivals): () => boolean {
  const ends = new Map(arrivals.map(({ record }) => [`${record.topic}/${record.partition}`, record.offset + 1]))
  return () => [...ends].every(([name, end]) => log.commits.get(name) === end) && model.isIdle()
}

function reportOf({ clock, timeline, model, log, dropped }: Simulation, planned: Arrivals): SimulationReport {
  const { arrivals, skipped, startMs } = planned
  const { requests, answers, broken, duplicates, runs } = model.counts
  const ends = [...model.ended.values()]
  const done = ends.filter((end) => end === 'done').length
  const isCommitted = ({ topic, partition, offset }: SourceRecord): boolean =>
    offset < (log.commits.get(`${topic}/${partition}`) ?? 0)
  const waiting = arrivals.filter(({ record }) => !isCommitted(record)).length
  return {
    entries: timeline.entries,
    events: arrivals.length,
    skipped,
    requests,
    answers,
    broken,
    duplicates,
    runs,
    done,
    dead: ends.length - done,
    dropped: dropped.size,
    open: Math.max(waiting, arrivals.length - ends.length - dropped.size),
    overtaken: overtakenIn(model.done),
    virtualMs: clock.now() - startMs,
  }
}

function overtakenIn(done: FunctionModel['done']): number {
  let count = 0
  for (const works of done.values()) {
    const highest = new Map<string, number>()
    for (const { place, order } of works) {
      const before = highest.get(place) ?? -1
      if (order < before) count += 1
      highest.set(place, Math.max(order, before))
    }
  }
  return count
}

const placeOf = ({ topic, partition, offset }: SourceRecord): string => `${topic}/${partition}#${offset}`
