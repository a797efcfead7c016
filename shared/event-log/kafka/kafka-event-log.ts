// The event log on Kafka. kafkajs lives in this folder only, and is loaded when the component starts.

import type { Admin, Cluster, Kafka } from 'kafkajs'
import { messageOf, SluiceError } from '../../errors/index.ts'
import type { ComponentHealth } from '../../lifecycle/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { backoffDelay, type Clock } from '../../time/index.ts'
import { createAppendQueue } from '../append-queue.ts'
import type { AppendRecord, EventLog, Position, TopicDeclaration } from '../event-log.ts'
import { createPlacement } from '../place-records.ts'
import { createWakes } from '../wakes.ts'
import { loadKafka, openCluster, type KafkaClientOptions } from './kafka-client.ts'
import { coded, withRetries } from './kafka-errors.ts'
import { createKafkaReader, type KafkaReader } from './kafka-reader.ts'
import { createKafkaWriter, type KafkaWriter } from './kafka-writer.ts'

export interface KafkaEventLogOptions extends KafkaClientOptions {
  /** How long start() keeps trying, in milliseconds. Default 30,000. */
  readonly startTimeoutMs?: number
  /** Longest append, retries included, in milliseconds. Default 20,000. */
  readonly writeTimeoutMs?: number
  /** How long stop() waits for work under way, in milliseconds. Default 5,000. */
  readonly stopTimeoutMs?: number
}

export interface KafkaEventLogDeps {
  readonly clock: Clock
  readonly log: Logger
}

interface Parts {
  readonly admin: Admin
  /** For commits; a fetch that waits would hold them up on the same connection. */
  readonly cluster: Cluster
  readonly fetchCluster: Cluster
  readonly writer: KafkaWriter
  readonly reader: KafkaReader
}

const probeEveryMs = 5_000
const startBackoff = { firstMs: 100, maxMs: 2_000 }
/** Commits come from outside the group's own protocol, as an administrator's do; Kafka takes them while the group has no members. */
const outsider = { groupGenerationId: -1, memberId: '' }

export function createKafkaEventLog(options: KafkaEventLogOptions, { clock, log }: KafkaEventLogDeps): EventLog {
  const { startTimeoutMs = 30_000, writeTimeoutMs = 20_000, stopTimeoutMs = 5_000 } = options
  const topics = new Map<string, number>()
  const closing = new AbortController()
  const wakes = createWakes({ clock, log })
  const place = createPlacement((topic) => topics.get(topic) ?? 1) // append() saw to it that the topic is known
  const queue = createAppendQueue(write)
  let parts: Parts | undefined
  let health: ComponentHealth = { status: 'unknown' }
  let freshUntil = 0
  let probing = { cancel: (): void => undefined }

  function use(): Parts {
    if (parts !== undefined && !closing.signal.aborted) return parts
    throw new SluiceError('event_log_unavailable', 'The event log is not started, or stopped')
  }

  /** Every request passes here, so health follows what callers see. */
  async function observed<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const result = await coded(work, signal)
      if (health.status === 'down') log.info('Kafka answers again')
      health = { status: 'up', at: clock.now() }
      freshUntil = clock.monotonic() + probeEveryMs
      return result
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'event_log_unavailable' && !closing.signal.aborted) {
        if (health.status === 'up') log.warn({ reason: messageOf(error) }, 'Kafka does not answer')
        health = { status: 'down', at: clock.now(), error: error.code }
      }
      throw error
    }
  }

  async function loadTopics(): Promise<void> {
    const metadata = await use().admin.fetchTopicMetadata()
    for (const { name, partitions } of metadata.topics) topics.set(name, partitions.length)
  }

  /** Cached for good: a topic's partitions are not to change, since keys would move. */
  async function partitionsOf(topic: string): Promise<number> {
    if (!topics.has(topic)) await loadTopics()
    const partitions = topics.get(topic)
    if (partitions === undefined)
      throw new SluiceError('unknown_topic', `The topic ${topic} does not exist; ensureTopics creates it`)
    return partitions
  }

  async function existing(topic: string, partition: number): Promise<void> {
    if (partition >= (await partitionsOf(topic)))
      throw new SluiceError('unknown_topic', `${topic} has no partition ${partition}`)
  }

  async function write(records: readonly AppendRecord[]): Promise<readonly Position[]> {
    const positions = await use().writer.write(place(records))
    for (const topic of new Set(records.map((record) => record.topic))) wakes.wake(topic)
    return positions
  }

  async function ensureTopics(declarations: readonly TopicDeclaration[]): Promise<void> {
    await loadTopics()
    const missing = declarations.filter(({ name }) => !topics.has(name))
    if (missing.length === 0) return
    await use().admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions, compacted = false }) => ({
        topic: name,
        numPartitions: partitions,
        configEntries: compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
      })),
    })
    await loadTopics()
  }

  async function bounds(topic: string, partition: number): Promise<{ earliest: number; next: number }> {
    const { cluster } = use()
    const offsetOf = async (fromBeginning: boolean): Promise<number> => {
      const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }])
      return Number(answer?.partitions[0]?.offset)
    }
    return await withRetries(cluster, clock, async () => {
      await cluster.addMultipleTargetTopics([topic])
      const [earliest, next] = await Promise.all([offsetOf(true), offsetOf(false)])
      return { earliest, next }
    })
  }

  async function committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const partitions = Array.from({ length: await partitionsOf(topic) }, (_, partition) => ({
      partition,
      offset: '-1',
    }))
    const { cluster } = use()
    const { responses } = await withRetries(cluster, clock, async () => {
      const coordinator = await cluster.findGroupCoordinator({ groupId: group })
      return await coordinator.offsetFetch({ groupId: group, topics: [{ topic, partitions }] })
    })
    const offsets = responses.flatMap((answer) => answer.partitions)
    return new Map(
      offsets.filter(({ offset }) => Number(offset) >= 0).map(({ partition, offset }) => [partition, Number(offset)]),
    )
  }

  async function commit(group: string, topic: string, { partition, offset }: Position): Promise<void> {
    await existing(topic, partition)
    const { cluster } = use()
    await withRetries(cluster, clock, async () => {
      const coordinator = await cluster.findGroupCoordinator({ groupId: group })
      const position = { partition, offset: String(offset) }
      await coordinator.offsetCommit({ groupId: group, ...outsider, topics: [{ topic, partitions: [position] }] })
    })
  }

  async function open(kafka: Kafka): Promise<void> {
    const admin = kafka.admin({ retry: { retries: 2 } })
    const [cluster, fetchCluster] = [openCluster(kafka), openCluster(kafka)]
    const reader = createKafkaReader({ cluster: fetchCluster, clock, bounds, onRecords: wakes.wake })
    parts = { admin, cluster, fetchCluster, reader, writer: createKafkaWriter({ writeTimeoutMs }, { kafka, clock }) }
    await Promise.all([admin.connect(), cluster.connect(), fetchCluster.connect()])
    await loadTopics()
  }

  async function start(signal: AbortSignal): Promise<void> {
    const kafka = await loadKafka(options, { log })
    const deadline = clock.monotonic() + startTimeoutMs
    for (let failures = 1; ; failures += 1) {
      try {
        signal.throwIfAborted()
        await observed(open(kafka))
        scheduleProbe()
        return
      } catch (error) {
        await close()
        if (signal.aborted || clock.monotonic() >= deadline) throw error
        await clock.sleep(backoffDelay(startBackoff, failures, Math.random), signal)
      }
    }
  }

  /** Keeps health fresh while nobody asks, so that a process taken out of traffic notices when it may come back. */
  function scheduleProbe(): void {
    probing = clock.after(probeEveryMs, () => void probe(), { unref: true })
  }

  async function probe(): Promise<void> {
    const fresh = health.status === 'up' && clock.monotonic() < freshUntil
    if (!fresh) await observed(loadTopics()).catch(() => undefined) // the failure is in health
    if (!closing.signal.aborted) scheduleProbe()
  }

  /** Bounded: a broker that hangs must not hang the stop. */
  async function close(): Promise<void> {
    if (parts === undefined) return
    const { admin, cluster, fetchCluster, writer, reader } = parts
    parts = undefined
    const closed = Promise.allSettled([
      writer.stop(),
      reader.stop(),
      admin.disconnect(),
      cluster.disconnect(),
      fetchCluster.disconnect(),
    ])
    await Promise.race([closed, clock.sleep(stopTimeoutMs)])
  }

  async function stop(): Promise<void> {
    probing.cancel()
    await Promise.race([queue.stop(), clock.sleep(stopTimeoutMs)])
    closing.abort(new SluiceError('aborted', 'The event log is stopped'))
    await close()
    health = { status: 'unknown', at: clock.now() }
  }

  return {
    name: 'event-log',
    start,
    stop,
    health: () => health,
    ensureTopics: (declarations) => observed(ensureTopics(declarations)),
    append: async (records, { signal } = {}) => {
      for (const topic of new Set(records.map((record) => record.topic))) await observed(partitionsOf(topic))
      return await observed(queue.append(records, signal), signal)
    },
    partitions: (topic) => observed(partitionsOf(topic)),
    read: async (readOptions, signal) => {
      await observed(existing(readOptions.topic, readOptions.partition))
      const ended = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
      return await observed(use().reader.read(readOptions, ended), signal)
    },
    bounds: async (topic, partition) => {
      await observed(existing(topic, partition))
      return await observed(bounds(topic, partition))
    },
    committed: (group, topic) => observed(committed(group, topic)),
    commit: (group, topic, position) => observed(commit(group, topic, position)),
    onAppend: (listener) => wakes.onWake(listener),
  }
}
