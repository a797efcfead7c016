// The event log on Postgres. Wakes come by NOTIFY after COMMIT; a reader also looks again by itself, since the process that
// appended may have died between COMMIT and NOTIFY.

import type { Database, Subscription } from '../../database/index.ts'
import { SluiceError, sqlState } from '../../errors/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { createAppendQueue } from '../append-queue.ts'
import type { AppendRecord, EventLog, LogRecord, Position, ReadOptions, TopicDeclaration } from '../event-log.ts'
import { createPlacement } from '../place-records.ts'
import { createWakes } from '../wakes.ts'
import { appendRecords } from './append-records.ts'
import { logError } from './log-error.ts'
import { readRecords } from './read-records.ts'

export interface PostgresEventLogOptions {
  /** How often a waiting reader looks without being woken, in milliseconds. Default 1,000. */
  readonly pollMs?: number
}

export interface PostgresEventLogDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
}

const channel = 'sluice_log'

export function createPostgresEventLog(
  { pollMs = 1_000 }: PostgresEventLogOptions,
  { database, clock, log }: PostgresEventLogDeps,
): EventLog {
  const topics = new Map<string, number>()
  const closing = new AbortController()
  const wakes = createWakes({ clock, log })
  const place = createPlacement((topic) => topics.get(topic) ?? 1) // append() saw to it that the topic is known
  const queue = createAppendQueue(write)
  let listening: Promise<Subscription | undefined> | undefined

  async function loadTopics(): Promise<void> {
    const { rows } = await database.query<TopicDeclaration>('SELECT name, partitions FROM sluice.log_topic')
    for (const { name, partitions } of rows) topics.set(name, partitions)
  }

  /** Cached for good: a topic's partitions never change. */
  async function partitionsOf(topic: string): Promise<number> {
    if (!topics.has(topic)) await loadTopics()
    const partitions = topics.get(topic)
    if (partitions === undefined)
      throw new SluiceError('unknown_topic', `The topic ${topic} does not exist; ensureTopics creates it`)
    return partitions
  }

  async function write(records: readonly AppendRecord[]): Promise<readonly Position[]> {
    const positions = await appendRecords(database, place(records), clock.now())
    for (const topic of new Set(records.map((record) => record.topic))) {
      wakes.wake(topic)
      database.notify(channel, topic).catch(() => undefined) // readers elsewhere look again by themselves
    }
    return positions
  }

  /** LISTEN costs a connection, so only a process that reads or watches has it. Until it is in effect readers poll. */
  function listen(): void {
    listening ??= database
      .listen(channel, (topic) => {
        for (const each of topic === '' ? topics.keys() : [topic]) wakes.wake(each)
      })
      .then((subscription) => {
        for (const topic of topics.keys()) wakes.wake(topic) // what came before LISTEN was in effect
        return subscription
      })
      .catch(() => {
        listening = undefined
        return undefined
      })
  }

  async function read(options: ReadOptions, signal: AbortSignal): Promise<readonly LogRecord[]> {
    const { topic, partition, maxWaitMs } = options
    const partitions = await partitionsOf(topic)
    if (partition >= partitions) throw new SluiceError('unknown_topic', `${topic} has no partition ${partition}`)
    const end = clock.monotonic() + maxWaitMs
    if (maxWaitMs > 0) listen()
    for (;;) {
      signal.throwIfAborted()
      const seen = wakes.count(topic)
      const records = await readRecords(database, options)
      const left = end - clock.monotonic()
      if (records.length > 0 || left <= 0) return records
      await wakes.wait({ topic, seen, ms: Math.min(left, pollMs) }, signal)
    }
  }

  async function ensureTopics(declarations: readonly TopicDeclaration[]): Promise<void> {
    await database.transaction(async (tx) => {
      for (const { name, partitions, compacted = false } of declarations.toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      )) {
        const { rowCount } = await tx.query(
          'INSERT INTO sluice.log_topic (name, partitions, compacted) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING',
          [name, partitions, compacted],
        )
        if (rowCount === 0) continue
        await tx.query(
          'INSERT INTO sluice.log_partition (topic, partition) SELECT $1, generate_series(0, $2::int - 1)',
          [name, partitions],
        )
      }
    })
    await loadTopics()
  }

  async function commit(group: string, topic: string, { partition, offset }: Position): Promise<void> {
    await partitionsOf(topic)
    await database.query(
      `INSERT INTO sluice.log_group_offset (consumer_group, topic, partition, next) VALUES ($1, $2, $3, $4)
       ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next = excluded.next, committed_at = now()`,
      [group, topic, partition, offset],
    )
  }

  async function bounds(topic: string, partition: number): Promise<{ earliest: number; next: number }> {
    const { rows } = await database.query<{ earliest: number; next: number }>(
      'SELECT earliest, next FROM sluice.log_partition WHERE topic = $1 AND partition = $2',
      [topic, partition],
    )
    if (rows[0] === undefined) throw new SluiceError('unknown_topic', `${topic} has no partition ${partition}`)
    return rows[0]
  }

  async function committed(group: string, topic: string): Promise<ReadonlyMap<number, number>> {
    await partitionsOf(topic)
    const { rows } = await database.query<{ partition: number; next: number }>(
      'SELECT partition, next FROM sluice.log_group_offset WHERE consumer_group = $1 AND topic = $2',
      [group, topic],
    )
    return new Map(rows.map(({ partition, next }) => [partition, next]))
  }

  async function start(): Promise<void> {
    try {
      await loadTopics()
    } catch (error) {
      if (sqlState(error) !== '42P01') throw logError(error)
      throw new SluiceError('start_failed', 'The tables of the event log are missing: apply the migrations first', {
        cause: error,
      })
    }
  }

  async function stop(): Promise<void> {
    closing.abort(new SluiceError('aborted', 'The event log is stopped'))
    await queue.stop()
    const subscription = await listening
    await subscription?.stop()
  }

  return {
    name: 'event-log',
    start,
    stop,
    health: () => database.health(),
    probe: (signal) => coded(database.probe(signal)),
    ensureTopics: (declarations) => coded(ensureTopics(declarations)),
    append: async (records, { signal } = {}) => {
      for (const topic of new Set(records.map((record) => record.topic))) await coded(partitionsOf(topic))
      return await coded(queue.append(records, signal))
    },
    partitions: (topic) => coded(partitionsOf(topic)),
    read: (options, signal) =>
      coded(read(options, signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]))),
    bounds: (topic, partition) => coded(bounds(topic, partition)),
    committed: (group, topic) => coded(committed(group, topic)),
    commit: (group, topic, position) => coded(commit(group, topic, position)),
    onAppend: (listener) => {
      listen()
      return wakes.onWake(listener)
    },
  }
}

/** Gives errors of the database the code of this port. */
async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw logError(error)
  }
}
