// The KafkaSource twin: reads a log, delivers over HTTP as the dispatcher of eventing-kafka-broker does, and commits.
// docs/kafka-source.md is what it obeys.
//
//   idle ──start──▶ consuming ──drain──▶ draining ──stop──▶ stopped
//                       └────────────────stop──────────────────┘
//
// S1  Only final outcomes are committed, and no offset beyond an undecided record (offset-tracker.ts).
// S2  Stopping waits for nothing under way, as a dispatcher that gets SIGTERM (K20): connections close, retries are lost, the
//     next start delivers again from the committed offset with a fresh retry count.
// S3  Draining, as for a source that is changed or deleted, takes nothing new and finishes what is under way, the whole retry
//     series included. A jammed record holds it up for two minutes (K16).
//
// Pure: clock, log, sender and span ids are arguments. `wake: 'tick'` polls as upstream does; `wake: 'append'` also polls when
// the log says that something came.

import type { Component, ComponentHealth } from '../../shared/lifecycle/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock, Timer } from '../../shared/time/index.ts'
import { createCommitter } from './committer.ts'
import { deliverRecord, type RecordOutcome } from './deliver-record.ts'
import { createDispatcher, type Dispatcher } from './dispatcher.ts'
import { deliveryRules, type KafkaSourceSpec } from './kafka-source-spec.ts'
import { assignPartitions, type Partition } from './partition.ts'
import { pollRecords } from './poll-records.ts'
import { createPoller, type Poller } from './poller.ts'
import { prepareBatch, type Prepared } from './record-batch.ts'
import type { RecordLog, SourceRecord } from './record-log.ts'
import { followRedirects } from './redirects.ts'
import type { Sender } from './sender.ts'
import { createTraceScopes } from './trace-scopes.ts'

export interface KafkaSourceOptions {
  readonly source: KafkaSourceSpec
  readonly wake: 'tick' | 'append'
  /** Milliseconds between polls. With `wake: 'append'` the safety net for a lost hint. */
  readonly pollEveryMs: number
  readonly maxPollRecords: number
  /** Milliseconds between commits: what a crash delivers again. */
  readonly commitEveryMs: number
}

/** The defaults of ConfigMap config-kafka-source-data-plane. */
export const upstreamTiming = { wake: 'tick', pollEveryMs: 200, maxPollRecords: 50, commitEveryMs: 5_000 } as const

/** Constants of OrderedConsumerVerticle and of the dispatcher's end, in milliseconds. */
const pollOpenMs = 1_000
const longestDrainMs = 120_000

export interface KafkaSourceDeps {
  readonly log: RecordLog
  readonly sender: Sender
  readonly clock: Clock
  readonly logger: Logger
  readonly spanId: () => string
  /** Told of every record that came to an outcome. */
  readonly onOutcome?: (record: SourceRecord, outcome: RecordOutcome) => void
}

export interface KafkaSource extends Component {
  /** Call `stop` afterwards. */
  drain(): Promise<void>
}

interface Consuming {
  readonly name: 'consuming' | 'draining'
  readonly partitions: readonly Partition[]
  readonly poller: Poller
  readonly dispatcher: Dispatcher
  readonly abort: AbortController
  readonly timers: Set<Timer>
  readonly hint: { stop(): void }
}

type Phase = { readonly name: 'idle' } | Consuming | { readonly name: 'stopped' }

export function createKafkaSource(options: KafkaSourceOptions, deps: KafkaSourceDeps): KafkaSource {
  const { source, wake, pollEveryMs, maxPollRecords, commitEveryMs } = options
  const { log, clock, logger } = deps
  const { topics, consumerGroup, ordering = 'ordered', sink } = source.spec
  const { name, namespace } = source.metadata
  const rules = deliveryRules(source.spec.delivery)
  const traces = createTraceScopes()
  const delivering = { ...deps, sender: followRedirects(deps.sender), traces }
  const running = new Set<Promise<unknown>>()
  const commit = createCommitter(consumerGroup, {
    log,
    onFailure: (error) => note({ status: 'down', at: clock.now(), error: 'the offset cannot be committed' }, error),
  })
  let phase: Phase = { name: 'idle' }
  let health: ComponentHealth = { status: 'unknown' }

  async function settle(
    prepared: Prepared,
    partition: Partition,
    signal: AbortSignal,
  ): Promise<'settled' | 'undecided'> {
    const close = prepared.kind === 'event' ? traces.open(prepared.record) : undefined
    try {
      const outcome: RecordOutcome =
        prepared.kind === 'discarded'
          ? { kind: 'dropped', cause: prepared.cause }
          : await deliverRecord(prepared.event, { sinkUri: sink.uri, namespace, rules, signal }, delivering)
      report(outcome, prepared.record)
      if (outcome.kind === 'jammed') return 'undecided'
      partition.offsets.settled(prepared.record.offset)
      close?.()
      return 'settled'
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error, source: name }, 'delivery failed; a restart delivers it again')
      return 'undecided'
    }
  }

  function report(outcome: RecordOutcome, record: SourceRecord): void {
    deps.onOutcome?.(record, outcome)
    if (outcome.kind === 'delivered') return
    const { topic, partition, offset } = record
    const facts = { source: name, topic, partition, offset, cause: outcome.cause }
    if (outcome.kind === 'dead-lettered') logger.warn(facts, 'record sent to the dead letter sink')
    if (outcome.kind === 'dropped') logger.error(facts, 'record dropped: neither sink nor dead letter sink took it')
    if (outcome.kind === 'jammed')
      logger.error(facts, 'record jammed: a kne- header may be named with a-z and 0-9 only')
  }

  function consume(partitions: readonly Partition[]): Consuming {
    const abort = new AbortController()
    const { signal } = abort
    const dispatcher = createDispatcher(
      { ordering, maxPollRecords },
      {
        settle: (prepared, partition) => track(settle(prepared, partition, signal)),
        onFree: () => void track(poller.freed()),
      },
    )
    const read = async (wanting: readonly Partition[]): Promise<number> => {
      try {
        const polled = { partitions, maxPollRecords, wants: (one: Partition) => wanting.includes(one), signal }
        const records = await pollRecords(polled, log)
        if (signal.aborted) return 0
        note({ status: 'up', at: clock.now() })
        dispatch(records, { partitions, dispatcher })
        return records.length
      } catch (error) {
        if (!signal.aborted) note({ status: 'down', at: clock.now(), error: 'the log cannot be read' }, error)
        return 0
      }
    }
    const eager = wake === 'append' || ordering === 'unordered'
    const poller = createPoller({ partitions, eager, openMs: pollOpenMs }, { clock, wants: dispatcher.wants, read })
    const wakeUp = (topic: string): void => void (topics.includes(topic) && track(poller.appended()))
    return { name: 'consuming', partitions, poller, dispatcher, abort, timers: new Set(), hint: log.onAppend(wakeUp) }
  }

  function dispatch(
    records: readonly SourceRecord[],
    { partitions, dispatcher }: Pick<Consuming, 'partitions' | 'dispatcher'>,
  ): void {
    const taken = prepareBatch(records, source).flatMap((prepared) => {
      const { topic, partition: index } = prepared.record
      const partition = partitions.find((one) => one.topic === topic && one.index === index)
      return partition === undefined ? [] : [{ prepared, partition }]
    })
    for (const { prepared, partition } of taken) partition.offsets.received(prepared.record.offset)
    for (const { prepared, partition } of taken) dispatcher.take(prepared, partition)
  }

  function note(seen: ComponentHealth, error?: unknown): void {
    if (seen.status === 'down' && health.status !== 'down') logger.warn({ err: error, source: name }, seen.error ?? '')
    health = seen
  }

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work)
    void work.finally(() => running.delete(work))
    return work
  }

  function every(ms: number, timers: Set<Timer>, work: () => Promise<void>): void {
    const timer = clock.after(ms, () => {
      timers.delete(timer)
      every(ms, timers, work)
      void track(work())
    })
    timers.add(timer)
  }

  return {
    name: `kafka-source ${name}`,
    health: () => health,
    start: async () => {
      const consuming = consume(await assignPartitions(source, log))
      const { poller, partitions, timers } = consuming
      phase = consuming
      every(pollEveryMs, timers, poller.tick)
      every(commitEveryMs, timers, () => commit(partitions))
      await poller.tick()
    },
    drain: async () => {
      if (phase.name !== 'consuming') return
      const { poller, dispatcher, hint } = phase
      phase = { ...phase, name: 'draining' }
      hint.stop()
      poller.close()
      dispatcher.close()
      const limit = new AbortController()
      await Promise.race([dispatcher.idle(), clock.sleep(longestDrainMs, limit.signal)]).finally(() => limit.abort())
    },
    stop: async () => {
      if (phase.name === 'idle' || phase.name === 'stopped') return
      const { poller, dispatcher, hint, abort, timers, partitions } = phase
      phase = { name: 'stopped' }
      abort.abort(new Error('the KafkaSource stops'))
      hint.stop()
      poller.close()
      dispatcher.close()
      for (const timer of timers) timer.cancel()
      await Promise.allSettled(running)
      await commit(partitions)
    },
  }
}
