// Reads from any offset. All waiting reads share one fetch to each leader; the fetch waits shortly at the broker, so a read
// that comes meanwhile is soon part of the next one.
//
// F1  A fetch names a partition once, so reads of one partition at different offsets take turns, without waiting in between.
// F2  A fetch brings whole batches; what a read did not want stays at hand for the read that goes on from there.
// F3  Below the earliest record reading begins there; beyond the end it waits. Records of transactions, which Sluice never
//     writes, are read as they come, aborted ones too; their control records are passed over.

import type { Cluster, KafkaMessage } from 'kafkajs'
import type { Clock } from '../../time/index.ts'
import type { LogRecord, ReadOptions } from '../event-log.ts'
import { withRetries } from './kafka-errors.ts'
import { toLogRecord } from './kafka-records.ts'

export interface KafkaReader {
  read(options: ReadOptions, signal: AbortSignal): Promise<readonly LogRecord[]>
  stop(): Promise<void>
}

export interface KafkaReaderDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly bounds: (topic: string, partition: number) => Promise<{ readonly earliest: number; readonly next: number }>
  /** Called with the topic of records that arrived. */
  readonly onRecords: (topic: string) => void
}

interface Waiting {
  readonly options: ReadOptions
  readonly end: number
  offset: number
  /** Beyond the end of the log: not asked for before this time. */
  notBefore: number
  readonly resolve: (records: readonly LogRecord[]) => void
  readonly reject: (error: unknown) => void
}

/** How long a fetch waits at the broker when there is nothing, in milliseconds. Longer delays reads that come meanwhile. */
const fetchWaitMs = 50
const partitionBytes = 1_048_576
const fetchBytes = 8 * 1_048_576
const keptLeftovers = 16
const beyondEndMs = 250

export function createKafkaReader({ cluster, clock, bounds, onRecords }: KafkaReaderDeps): KafkaReader {
  const waiting = new Set<Waiting>()
  const leftovers = new Map<string, readonly LogRecord[]>()
  let fetching: Promise<void> | undefined

  async function fetchWhileWanted(): Promise<void> {
    while (waiting.size > 0) {
      const round = pickRound()
      try {
        if (round.length === 0) await clock.sleep(fetchWaitMs)
        else await fetchRound(round)
      } catch (error) {
        for (const read of round) settle(read, () => read.reject(error))
      }
      const now = clock.monotonic()
      for (const read of waiting)
        if (now >= read.end && (round.includes(read) || read.notBefore > now)) settle(read, () => read.resolve([]))
    }
    fetching = undefined
  }

  function settle(read: Waiting, how: () => void): void {
    if (waiting.delete(read)) how()
  }

  /** One read of each partition; those picked go to the end of the line. */
  function pickRound(): readonly Waiting[] {
    const now = clock.monotonic()
    const round = new Map<string, Waiting>()
    for (const read of waiting) {
      const place = placeOf(read.options)
      if (read.notBefore <= now && !round.has(place)) round.set(place, read)
    }
    for (const read of round.values()) {
      waiting.delete(read)
      waiting.add(read)
    }
    return [...round.values()]
  }

  async function fetchRound(round: readonly Waiting[]): Promise<void> {
    await withRetries({ cluster, clock }, async () => {
      await cluster.addMultipleTargetTopics([...new Set(round.map(({ options }) => options.topic))])
      const byLeader = Map.groupBy(round, ({ options: { topic, partition } }) => leaderOf(topic, partition))
      await Promise.all([...byLeader].map(([leader, reads]) => fetchFrom(leader, reads)))
    })
  }

  function leaderOf(topic: string, partition: number): string {
    const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
    return leader ?? '-1' // no such broker: a retriable error
  }

  async function fetchFrom(leader: string, reads: readonly Waiting[]): Promise<void> {
    const broker = await cluster.findBroker({ nodeId: leader })
    const byTopic = Map.groupBy(reads, ({ options }) => options.topic)
    const soonest = Math.min(...reads.map(({ end }) => end - clock.monotonic()))
    const othersWait = waiting.size > reads.length
    try {
      const { responses } = (await broker.fetch({
        maxWaitTime: othersWait ? 0 : Math.max(0, Math.min(fetchWaitMs, Math.ceil(soonest))),
        minBytes: 1,
        maxBytes: fetchBytes,
        isolationLevel: 0,
        topics: [...byTopic].map(([topic, ofTopic]) => ({
          topic,
          partitions: ofTopic.map(({ options, offset }) => ({
            partition: options.partition,
            fetchOffset: String(offset),
            maxBytes: partitionBytes,
          })),
        })),
      })) as FetchAnswer
      for (const { topicName, partitions } of responses) {
        for (const { partition, messages } of partitions) {
          const read = reads.find(({ options }) => options.topic === topicName && options.partition === partition)
          if (read !== undefined && messages.length > 0) take(read, messages)
        }
      }
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      const read = reads.find(({ options }) => options.topic === error.topic && options.partition === error.partition)
      if (read === undefined) throw error
      await moveIntoRange(read)
    }
  }

  function take(read: Waiting, messages: readonly FetchedMessage[]): void {
    const { topic, partition, maxRecords } = read.options
    const records = messages
      .filter((message) => message.isControlRecord !== true && Number(message.offset) >= read.offset)
      .map((message) => toLogRecord(message, { topic, partition }))
    // Nothing but control records: without a step beyond them the next fetch would bring them again at once, and the next.
    if (records.length === 0) {
      read.offset = Number(messages.at(-1)?.offset ?? read.offset - 1) + 1
      return
    }
    const wanted = records.slice(0, maxRecords)
    keep(records.slice(maxRecords), (wanted.at(-1)?.offset ?? 0) + 1)
    settle(read, () => read.resolve(wanted))
    onRecords(topic)
  }

  function keep(records: readonly LogRecord[], offset: number): void {
    const [first] = records
    if (first === undefined) return
    leftovers.set(`${placeOf(first)} ${offset}`, records)
    const [oldest] = leftovers.keys()
    if (leftovers.size > keptLeftovers && oldest !== undefined) leftovers.delete(oldest)
  }

  function fromLeftovers(options: ReadOptions): readonly LogRecord[] {
    const name = `${placeOf(options)} ${options.offset}`
    const records = leftovers.get(name) ?? []
    leftovers.delete(name)
    const wanted = records.slice(0, options.maxRecords)
    keep(records.slice(options.maxRecords), (wanted.at(-1)?.offset ?? 0) + 1)
    return wanted
  }

  async function moveIntoRange(read: Waiting): Promise<void> {
    const { earliest, next } = await bounds(read.options.topic, read.options.partition)
    if (read.offset < earliest) read.offset = earliest
    else if (read.offset > next) read.notBefore = clock.monotonic() + beyondEndMs
  }

  return {
    read: async (options, signal) => {
      signal.throwIfAborted()
      const ready = fromLeftovers(options)
      if (ready.length > 0) return ready
      const { promise, resolve, reject } = Promise.withResolvers<readonly LogRecord[]>()
      const read: Waiting = {
        options,
        offset: options.offset,
        notBefore: 0,
        end: clock.monotonic() + options.maxWaitMs,
        resolve,
        reject,
      }
      const onAbort = (): void => settle(read, () => reject(signal.reason))
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.add(read)
      fetching ??= fetchWhileWanted()
      return await promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    stop: async () => {
      await fetching
    },
  }
}

const placeOf = ({ topic, partition }: Pick<LogRecord, 'topic' | 'partition'>): string => `${topic} ${partition}`

type FetchedMessage = KafkaMessage & { readonly isControlRecord?: boolean }

interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly FetchedMessage[] }[]
  }[]
}

interface OutOfRange extends Error {
  readonly topic: string
  readonly partition: number
}

const isOutOfRange = (error: unknown): error is OutOfRange =>
  error instanceof Error && error.name === 'KafkaJSOffsetOutOfRange'
