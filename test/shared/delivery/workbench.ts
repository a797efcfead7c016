// What the tests of delivery stand on: a database of their own with all migrations, the event log on it, an outbox, and short
// ways to make events, deliveries and lane runs. Everything is the real thing; only faults are injected, at the ports.

import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import {
  createOutbox,
  type DeliveryContract,
  type DeliveryDeps,
  type Incoming,
} from '../../../shared/delivery/index.ts'
import { takeLanes } from '../../../shared/delivery/lanes/offers.ts'
import { formatLaneToken } from '../../../shared/delivery/lanes/lane-token.ts'
import { createPostgresEventLog, type EventLog, type TopicDeclaration } from '../../../shared/event-log/index.ts'
import {
  allTopics,
  decodeHttpEvent,
  fromJsonFormat,
  topics,
  toolCallFinished,
  type CloudEvent,
} from '../../../shared/events/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
export { finished } from './finished.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'

export interface Workbench extends DeliveryDeps {
  readonly url: string
  readonly eventLog: EventLog
  /** Another pool on the same database, as another process has. */
  connect(options?: { readonly lockTimeoutMs?: number; readonly poolSize?: number }): Promise<Database>
  rows<R extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<R[]>
}

export interface WorkbenchOptions {
  readonly lockTimeoutMs?: number
  /** Puts faults between the outbox and the log. */
  readonly throughLog?: (log: EventLog) => EventLog
  readonly failpoints?: DeliveryDeps['failpoints']
  /** Default: all there are, as they are declared. */
  readonly topics?: readonly TopicDeclaration[]
}

export async function createWorkbench(t: TestContext, options: WorkbenchOptions = {}): Promise<Workbench> {
  const {
    lockTimeoutMs = 2_000,
    throughLog = (log) => log,
    failpoints = () => undefined,
    topics: known = allTopics,
  } = options
  const { url } = await createTestDatabase(t)
  const log = createLogger({ function: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' })
  const clock = systemClock
  const instruments = createInstruments({ function: 'test' })

  const connect: Workbench['connect'] = async (connectOptions = {}) => {
    const database = createDatabase(
      {
        url: secret(url),
        poolSize: connectOptions.poolSize ?? 20,
        statementTimeoutMs: 10_000,
        lockTimeoutMs: connectOptions.lockTimeoutMs ?? lockTimeoutMs,
        applicationName: 'test',
      },
      { log, clock },
    )
    atEnd(t, () => database.stop())
    await database.start(AbortSignal.timeout(10_000))
    return database
  }

  const database = await connect()
  const eventLog = createPostgresEventLog({}, { database, clock, log })
  await eventLog.start(AbortSignal.timeout(10_000))
  atEnd(t, () => eventLog.stop())
  await eventLog.ensureTopics(known)
  const outbox = createOutbox(
    {},
    { database, eventLog: throughLog(eventLog), clock, log, instruments, failpoints, random: Math.random },
  )
  atEnd(t, () => outbox.stop())
  return {
    url,
    database,
    eventLog,
    outbox,
    clock,
    log,
    instruments,
    failpoints,
    random: Math.random,
    connect,
    rows: async <R extends object>(sql: string, values?: readonly unknown[]) =>
      (await database.query<R>(sql, values)).rows,
  }
}

export const contractOf = <E extends DeliveryContract['execution']>(
  execution: E,
  changes: Partial<Omit<DeliveryContract, 'execution'>> = {},
): DeliveryContract & { readonly execution: E } => ({
  name: 'tested',
  ordering: 'key',
  delivery: { attempts: 3, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000 },
  produces: [{ topic: topics.toolResults, type: toolCallFinished }],
  ...changes,
  execution,
})

export interface EventChanges {
  readonly id?: string
  readonly key?: string
  readonly data?: unknown
  readonly source?: string
  readonly tenant?: string
  readonly topic?: string
}

/** An event as the receiver hands it on: from the topic of tool requests, with its place in the log. */
export function incoming({
  id = randomUUID(),
  key = 'k',
  data = { n: 1 },
  source = '/test',
  tenant = 'acme',
  topic = 'tool.requests',
}: EventChanges = {}): Incoming {
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source,
    type: 'tool.call.requested.v1',
    datacontenttype: 'application/json',
    data,
    extensions: { partitionkey: key, tenant, sluicetopic: topic, knativekafkapartition: '0', knativekafkaoffset: '7' },
  }
  return { event, raw: Buffer.from(JSON.stringify(data)), topic, partition: 0, offset: 7, key, tenant }
}

export interface TakenLane {
  readonly incoming: Incoming
  readonly token: string
  readonly key: string
}

/** Takes due lanes as the driver does, with the events decoded as the receiver does. */
export async function take(database: Database, limit = 100): Promise<readonly TakenLane[]> {
  const offers = await takeLanes(database, { busy: [], resting: [], perFunction: limit, total: limit })
  return offers.map((offer) => {
    const body = Buffer.from(offer.event)
    const headers = { 'content-type': 'application/cloudevents+json', traceparent: offer.trace ?? undefined }
    const decoded = decodeHttpEvent({ headers, body }, { bind: () => undefined })
    if (!decoded.ok) throw new Error(`the lane offered no event: ${decoded.message}`)
    return { incoming: { ...decoded, raw: body }, token: formatLaneToken(offer), key: offer.key }
  })
}

/** Every record of a topic, in the order of partition and offset, decoded. */
export async function published(eventLog: EventLog, topic: string): Promise<readonly PublishedRecord[]> {
  const all: PublishedRecord[] = []
  for (let partition = 0; partition < (await eventLog.partitions(topic)); partition += 1) {
    const { earliest, next } = await eventLog.bounds(topic, partition)
    for (let offset = earliest; offset < next;) {
      const records = await eventLog.read({ topic, partition, offset, maxRecords: 500, maxWaitMs: 0 })
      for (const { key, headers, value } of records) {
        const header = (name: string): string | undefined =>
          headers.find(([candidate]) => candidate === name)?.[1]?.toString()
        all.push({
          key: key?.toString() ?? '',
          id: header('ce_id') ?? '',
          sequence: Number(header('ce_sequence')),
          header,
          data: value === null || value.length === 0 ? undefined : value,
        })
      }
      offset = (records.at(-1)?.offset ?? next) + 1
    }
  }
  return all
}

export interface PublishedRecord {
  readonly key: string
  readonly id: string
  readonly sequence: number
  readonly header: (name: string) => string | undefined
  readonly data: Buffer | undefined
}

export const eventOf = (json: string): CloudEvent => {
  const decoded = fromJsonFormat(JSON.parse(json))
  if (!decoded.ok) throw new Error(decoded.message)
  return decoded.event
}
