// The KafkaSource twin: reads a log, delivers over HTTP as the dispatcher of eventing-kafka-broker does, and commits.
//
// K1  Ordered: one record of a partition at a time, the next one only after the final outcome of the one before.
// K2  Unordered: everything polled is sent at once; polling stops while `maxPollRecords` or more are in flight.
// K3  Only final outcomes are committed, and no offset beyond an undecided record (offset-tracker.ts).
// K4  Stopping waits for nothing in flight: connections close, retries are lost, the next start delivers again from the
//     committed offset with a fresh retry count, as measured with the real one.
//
// Pure: clock, log, sender and span ids are arguments. `wake: 'tick'` polls every `pollEveryMs` as upstream does (200 ms,
// which caps ordered delivery at 250 records a second); `wake: 'append'` also polls when the log says something came.

import type { Component, ComponentHealth } from '../../shared/lifecycle/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock, Timer } from '../../shared/time/index.ts'
import { deliverRecord, type RecordOutcome } from './deliver-record.ts'
import { deliveryRules, type KafkaSourceSpec } from './kafka-source-spec.ts'
import { assignPartitions, type Partition } from './partition.ts'
import { pollRecords } from './poll-records.ts'
import { prepareBatch, type Prepared } from './record-batch.ts'
import type { RecordLog, SourceRecord } from './record-log.ts'
import type { Sender } from './sender.ts'

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

export interface KafkaSourceDeps {
  readonly log: RecordLog
  readonly sender: Sender
  readonly clock: Clock
  readonly logger: Logger
  readonly spanId: () => string
}

interface Consuming {
  readonly name: 'consuming'
  readonly partitions: readonly Partition[]
  readonly abort: AbortController
  readonly timers: Set<Timer>
  readonly hint: { stop(): void }
}

type Phase = { readonly name: 'idle' } | Consuming | { readonly name: 'stopped' }

export function createKafkaSource(options: KafkaSourceOptions, deps: KafkaSourceDeps): Component {
  const { source, wake, pollEveryMs, maxPollRecords, commitEveryMs } = options
  const { log, clock, logger } = deps
  const { topics, consumerGroup, ordering = 'ordered', sink } = source.spec
  const { name, namespace } = source.metadata
  const rules = deliveryRules(source.spec.delivery)
  const running = new Set<Promise<void>>()
  let phase: Phase = { name: 'idle' }
  let health: ComponentHealth = { status: 'unknown' }
  let polling: 'no' | 'yes' | 'and again' = 'no'
  let inFlight = 0

  const isAlive = (state: Phase): state is Consuming => state.name === 'consuming' && !state.abort.signal.aborted
  const wants = ({ queue }: Partition): boolean =>
    ordering === 'ordered' ? queue.length === 0 : inFlight < maxPollRecords

  async function poll(): Promise<void> {
    if (polling !== 'no') {
      polling = 'and again'
      return
    }
    do {
      polling = 'yes'
      await pollOnce()
    } while (wantsAnotherPoll())
    polling = 'no'
  }

  const wantsAnotherPoll = (): boolean => polling === 'and again' && wake === 'append' && isAlive(phase)

  async function pollOnce(): Promise<void> {
    if (!isAlive(phase)) return
    const { partitions, abort } = phase
    try {
      const records = await pollRecords({ partitions, maxPollRecords, wants, signal: abort.signal }, log)
      if (abort.signal.aborted) return
      note({ status: 'up', at: clock.now() })
      handle(records, phase)
      if (records.length === maxPollRecords) polling = 'and again' // partitions that came away empty-handed
    } catch (error) {
      if (!abort.signal.aborted) note({ status: 'down', at: clock.now(), error: 'the log cannot be read' }, error)
    }
  }

  function handle(records: readonly SourceRecord[], state: Consuming): void {
    for (const prepared of prepareBatch(records, source)) {
      const { topic, partition: index, offset } = prepared.record
      const partition = state.partitions.find((one) => one.topic === topic && one.index === index)
      if (partition === undefined) continue
      partition.offsets.received(offset)
      if (ordering === 'unordered') track(settleAlone(prepared, partition, state.abort.signal))
      else {
        partition.queue.push(prepared)
        if (!partition.busy) track(drain(partition, state.abort.signal))
      }
    }
  }

  async function drain(partition: Partition, signal: AbortSignal): Promise<void> {
    partition.busy = true
    for (let next = partition.queue[0]; next !== undefined; next = partition.queue[0]) {
      // Undecided is jammed or stopping: the partition stays where it is.
      if (signal.aborted || (await settle(next, partition, signal)) === 'undecided') return
      partition.queue.shift()
    }
    partition.busy = false
    pollIfMissed(partition)
  }

  async function settleAlone(prepared: Prepared, partition: Partition, signal: AbortSignal): Promise<void> {
    inFlight += 1
    await settle(prepared, partition, signal)
    inFlight -= 1
    pollIfMissed(partition)
  }

  function pollIfMissed(partition: Partition): void {
    if (partition.missedPoll && wake === 'append') track(poll())
  }

  async function settle(
    prepared: Prepared,
    partition: Partition,
    signal: AbortSignal,
  ): Promise<'settled' | 'undecided'> {
    try {
      const outcome: RecordOutcome =
        prepared.kind === 'discarded'
          ? { kind: 'dropped', cause: prepared.cause }
          : await deliverRecord(prepared.delivery, { sinkUri: sink.uri, namespace, rules, signal }, deps)
      report(outcome, prepared.record)
      if (outcome.kind === 'jammed') return 'undecided'
      partition.offsets.settled(prepared.record.offset)
      return 'settled'
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error, source: name }, 'delivery failed; a restart delivers it again')
      return 'undecided'
    }
  }

  function report(outcome: RecordOutcome, { topic, partition, offset }: SourceRecord): void {
    if (outcome.kind === 'delivered') return
    const facts = { source: name, topic, partition, offset, cause: outcome.cause }
    if (outcome.kind === 'dead-lettered') logger.warn(facts, 'record sent to the dead letter sink')
    if (outcome.kind === 'dropped') logger.error(facts, 'record dropped: neither sink nor dead letter sink took it')
    if (outcome.kind === 'jammed')
      logger.error(facts, 'record jammed: a kne- header may be named with a-z and 0-9 only')
  }

  async function commit({ partitions }: Consuming): Promise<void> {
    for (const { topic, index: partition, offsets } of partitions) {
      const offset = offsets.takeAdvance()
      if (offset === undefined) continue
      try {
        await log.commit(consumerGroup, topic, { partition, offset })
      } catch (error) {
        offsets.giveBack()
        note({ status: 'down', at: clock.now(), error: 'the offset cannot be committed' }, error)
      }
    }
  }

  function note(seen: ComponentHealth, error?: unknown): void {
    if (seen.status === 'down' && health.status !== 'down') logger.warn({ err: error, source: name }, seen.error ?? '')
    health = seen
  }

  function track(work: Promise<void>): void {
    running.add(work)
    void work.finally(() => running.delete(work))
  }

  function every(ms: number, state: Consuming, work: () => Promise<void>): void {
    const timer = clock.after(ms, () => {
      state.timers.delete(timer)
      void work().then(() => isAlive(state) && every(ms, state, work))
    })
    state.timers.add(timer)
  }

  return {
    name: `kafka-source ${name}`,
    health: () => health,
    start: async () => {
      const partitions = await assignPartitions(source, log)
      const wakeUp = (topic: string): void => void (topics.includes(topic) && poll())
      const hint = wake === 'append' ? log.onAppend(wakeUp) : { stop: () => {} }
      const state: Consuming = { name: 'consuming', partitions, abort: new AbortController(), timers: new Set(), hint }
      phase = state
      every(pollEveryMs, state, poll)
      every(commitEveryMs, state, () => commit(state))
      await poll()
    },
    stop: async () => {
      if (!isAlive(phase)) return
      const state = phase
      state.abort.abort(new Error('the KafkaSource stops'))
      state.hint.stop()
      for (const timer of state.timers) timer.cancel()
      await Promise.allSettled(running)
      await commit(state)
      phase = { name: 'stopped' }
    },
  }
}
