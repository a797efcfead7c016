// The event log on Kafka. kafkajs lives in this folder only, and is loaded when the component starts.

import type { Admin, Cluster, Kafka } from 'kafkajs'
import { messageOf, SluiceError } from '../../errors/index.ts'
import type { ComponentHealth } from '../../lifecycle/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { backoffDelay, type Clock } from '../../time/index.ts'
import { createAppendQueue } from '../append-queue.ts'
import type { AppendRecord, EventLog, Position } from '../event-log.ts'
import { createPlacement } from '../place-records.ts'
import { createWakes } from '../wakes.ts'
import { loadKafka, openCluster, type KafkaClientOptions } from './kafka-client.ts'
import { coded } from './kafka-errors.ts'
import { createKafkaGroups, type KafkaGroups } from './kafka-groups.ts'
import { createKafkaReader, type KafkaReader } from './kafka-reader.ts'
import { createKafkaTopics, type KafkaTopics } from './kafka-topics.ts'
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
  readonly connections: readonly (Admin | Cluster)[]
  readonly topics: KafkaTopics
  readonly groups: KafkaGroups
  readonly writer: KafkaWriter
  readonly reader: KafkaReader
}

const probeEveryMs = 5_000
const startBackoff = { firstMs: 100, maxMs: 2_000 }

export function createKafkaEventLog(options: KafkaEventLogOptions, { clock, log }: KafkaEventLogDeps): EventLog {
  const { startTimeoutMs = 30_000, writeTimeoutMs = 20_000, stopTimeoutMs = 5_000 } = options
  const closing = new AbortController()
  const wakes = createWakes({ clock, log })
  const place = createPlacement((topic) => use().topics.knownPartitions(topic))
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
    const result = await lookedUp(work, signal)
    if (health.status === 'down') log.info('Kafka answers again')
    health = { status: 'up', at: clock.now() }
    freshUntil = clock.monotonic() + probeEveryMs
    return result
  }

  /** As `observed`, for what may be answered from memory: its success says nothing about Kafka. */
  async function lookedUp<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await coded(work, signal)
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'event_log_unavailable' && !closing.signal.aborted) {
        if (health.status === 'up') log.warn({ reason: messageOf(error) }, 'Kafka does not answer')
        health = { status: 'down', at: clock.now(), error: error.code }
      }
      throw error
    }
  }

  async function write(records: readonly AppendRecord[]): Promise<readonly Position[]> {
    const positions = await use().writer.write(place(records))
    for (const topic of new Set(records.map((record) => record.topic))) wakes.wake(topic)
    return positions
  }

  async function open(kafka: Kafka): Promise<void> {
    const admin = kafka.admin({ retry: { retries: 2 } })
    // Two: a fetch that waits at the broker holds up what comes behind it on the same connection.
    const [cluster, fetchCluster] = [openCluster(kafka), openCluster(kafka)]
    const topics = createKafkaTopics({ admin, cluster, clock })
    parts = {
      connections: [admin, cluster, fetchCluster],
      topics,
      groups: createKafkaGroups({ cluster, clock }),
      writer: createKafkaWriter({ writeTimeoutMs }, { kafka, clock }),
      reader: createKafkaReader({ cluster: fetchCluster, clock, bounds: topics.bounds, onRecords: wakes.wake }),
    }
    await Promise.all(parts.connections.map((connection) => connection.connect()))
    await topics.load()
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

  const askBrokers = (): Promise<void> => observed((async () => await use().topics.load())())

  async function probe(): Promise<void> {
    const fresh = health.status === 'up' && clock.monotonic() < freshUntil
    if (!fresh) await askBrokers().catch(() => undefined) // the failure is in health
    if (!closing.signal.aborted) scheduleProbe()
  }

  /** Bounded: a broker that hangs must not hang the stop. */
  async function close(): Promise<void> {
    if (parts === undefined) return
    const { connections, writer, reader } = parts
    parts = undefined
    // A fetch under way looks for its broker and would connect to it again, after the connections were closed.
    await within(stopTimeoutMs / 2, [writer.stop(), reader.stop()])
    await within(
      stopTimeoutMs / 2,
      connections.map((connection) => connection.disconnect()),
    )
  }

  async function within(ms: number, ends: readonly Promise<unknown>[]): Promise<void> {
    const over = new AbortController()
    await Promise.race([Promise.allSettled(ends), clock.sleep(ms, over.signal).catch(() => undefined)])
    over.abort() // a timer that is left would keep the process alive
  }

  async function stop(): Promise<void> {
    probing.cancel()
    await within(stopTimeoutMs, [queue.stop()])
    closing.abort(new SluiceError('aborted', 'The event log is stopped'))
    await close()
    health = { status: 'unknown', at: clock.now() }
  }

  return {
    name: 'event-log',
    start,
    stop,
    health: () => health,
    probe: askBrokers,
    ensureTopics: async (declarations) => await observed(use().topics.ensure(declarations)),
    append: async (records, { signal } = {}) => {
      const { topics } = use()
      for (const topic of new Set(records.map((record) => record.topic))) await lookedUp(topics.partitionsOf(topic))
      return await observed(queue.append(records, signal), signal)
    },
    partitions: async (topic) => await lookedUp(use().topics.partitionsOf(topic)),
    read: async (readOptions, signal) => {
      const { topics, reader } = use()
      await lookedUp(topics.require(readOptions.topic, readOptions.partition))
      const ended = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
      return await observed(reader.read(readOptions, ended), signal)
    },
    bounds: async (topic, partition) => {
      const { topics } = use()
      await lookedUp(topics.require(topic, partition))
      return await observed(topics.bounds(topic, partition))
    },
    committed: async (group, topic) => {
      const { topics, groups } = use()
      const partitions = await lookedUp(topics.partitionsOf(topic))
      return await observed(groups.committed(group, topic, partitions))
    },
    commit: async (group, topic, position) => {
      const { topics, groups } = use()
      await lookedUp(topics.require(topic, position.partition))
      await observed(groups.commit(group, topic, position))
    },
    onAppend: (listener) => wakes.onWake(listener),
  }
}
