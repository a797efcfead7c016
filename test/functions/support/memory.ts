// The memory functions on real ports over a Postgres of their own: memory-service, and where a test wants it memory-replicator
// behind a KafkaSource twin, with outbox-sync to drive its lanes.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import { createMemoryReplicator } from '../../../functions/memory-replicator/compose.ts'
import { memoryReplicator } from '../../../functions/memory-replicator/function.ts'
import { createMemoryService } from '../../../functions/memory-service/compose.ts'
import { memoryService } from '../../../functions/memory-service/function.ts'
import { createOutboxSync } from '../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { createHttpSender, createKafkaSource } from '../../../local/kafka-source/index.ts'
import { loadConfig, type Config } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { allTopics } from '../../../shared/events/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'
import { call, type Answer } from './client.ts'
import { openDatabase, startForTest, testLogger } from './platform.ts'

export interface MemoryPlatform {
  /** Of memory-service. */
  readonly url: string
  readonly database: Database
  readonly eventLog: EventLog
  readonly service: Service
  configWith(more: Readonly<Record<string, string>>): Config
  /** A request of a function that speaks for a tenant. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  remember(memory: object, options?: AskOptions): Promise<{ readonly key: string; readonly position: string }>
  recall(question: object, options?: AskOptions): Promise<readonly Memory[]>
}

export interface Memory {
  readonly key: string
  readonly content: string
  readonly score: number | null
  readonly position: string
  readonly session_id: string | null
}

interface AskOptions {
  readonly tenant?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export async function startMemoryService(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<MemoryPlatform> {
  const { url: databaseUrl } = await createTestDatabase(t)
  const database = await openDatabase(t, databaseUrl)
  const log = testLogger()
  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  await eventLog.start(new AbortController().signal)
  atEnd(t, () => eventLog.stop())
  await eventLog.ensureTopics(allTopics)
  const configWith = (more: Readonly<Record<string, string>>): Config =>
    loadConfig({
      DATABASE_URL: databaseUrl,
      PORT: '0',
      SLUICE_OPERATIONS_PORT: '0',
      SLUICE_DATABASE_POOL_SIZE: '6',
      ...env,
      ...more,
    })
  const behaviour = { compose: createMemoryService }
  const service = await startForTest(t, { definition: memoryService, behaviour, config: configWith({}), log })
  const url = `http://127.0.0.1:${service.port}`
  const ask: MemoryPlatform['ask'] = (method, path, { tenant = 'local', body, headers = {} } = {}) =>
    call(`${url}${path}`, {
      method,
      headers: {
        'sluice-tenant': tenant,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    url,
    database,
    eventLog,
    service,
    configWith,
    ask,
    remember: async (memory, options) => {
      const answer = await ask('POST', '/v1/memory/remember', { ...options, body: memory })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return answer.body as unknown as { key: string; position: string }
    },
    recall: async (question, options) => {
      const answer = await ask('POST', '/v1/memory/recall', { ...options, body: question })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body['memories'] as readonly Memory[]
    },
  }
}

export interface Replication {
  readonly replicator: Service
  /** Starts the source that brings memory.wal to the replicator; stopped at the end, or by the returned function. */
  startSource(): Promise<() => Promise<void>>
}

export async function startReplicator(
  t: TestContext,
  { eventLog, configWith }: MemoryPlatform,
  { impatient = false }: { readonly impatient?: boolean } = {},
): Promise<Replication> {
  const log = testLogger()
  const behaviour = { compose: createMemoryReplicator }
  const delivery = impatient
    ? { ...memoryReplicator.delivery, attempts: 2, backoff: { firstMs: 1, maxMs: 1 } }
    : memoryReplicator.delivery
  const definition = { ...memoryReplicator, delivery }
  const replicator = await startForTest(t, { definition, behaviour, config: configWith({}), log })
  const address = `http://127.0.0.1:${replicator.port}`
  await startForTest(t, {
    definition: outboxSync,
    behaviour: { compose: createOutboxSync },
    config: configWith({ SLUICE_FUNCTION_URLS: `memory-replicator=${address}` }),
    log,
  })
  return {
    replicator,
    startSource: async () => {
      const sender = createHttpSender({ clock })
      atEnd(t, () => sender.close())
      const name = 'memory-replicator-memory-wal'
      const spec = {
        topics: ['memory.wal'],
        consumerGroup: name,
        initialOffset: 'earliest',
        delivery: { retry: 10, backoffPolicy: 'linear', backoffDelay: 'PT0.1S', timeout: 'PT10S' },
        sink: { uri: `${address}/` },
        ceOverrides: { extensions: { sluicetopic: 'memory.wal' } },
      } as const
      const source = createKafkaSource(
        {
          source: { metadata: { name, namespace: 'test' }, spec },
          wake: 'append',
          pollEveryMs: 500,
          maxPollRecords: 50,
          commitEveryMs: 200,
        },
        { log: eventLog, sender, clock, logger: log, spanId: () => randomBytes(8).toString('hex') },
      )
      await source.start(new AbortController().signal)
      let stopped: Promise<void> | undefined
      const stop = (): Promise<void> => (stopped ??= source.stop())
      atEnd(t, stop)
      return stop
    },
  }
}

/** memory-service with its replica up to date moments after each write. */
export async function startMemory(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<MemoryPlatform> {
  const memory = await startMemoryService(t, env)
  const { startSource } = await startReplicator(t, memory)
  await startSource()
  return memory
}

/** Value of a metric without labels of its own, as a service shows it on its operations port. */
export async function metric({ operationsPort }: Service, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${operationsPort}/metrics`)
  const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name}{`))
  return Number(line?.split(' ').at(-1))
}

export interface PassingOn {
  /** While it is, connections are cut. */
  readonly isAway?: () => boolean
  /** Whether the answer that has just come is thrown away, and the connection with it. */
  readonly losesAnswer?: () => boolean
}

/** Hands requests on to the service at `url`, for tests of what happens between. */
export const passingOn =
  (url: string, { isAway = () => false, losesAnswer = () => false }: PassingOn = {}): RequestListener =>
  (request, response) => {
    const passOn = async (body: Buffer): Promise<void> => {
      const { 'content-length': _, host: __, connection: ___, ...headers } = request.headers
      const isWrite = request.method === 'POST' // others are probes
      const passed = {
        method: request.method ?? '',
        headers: headers as Record<string, string>,
        ...(isWrite ? { body } : {}),
      }
      const answer = await fetch(`${url}${request.url ?? ''}`, passed)
      const text = await answer.text()
      if (isWrite && losesAnswer()) response.destroy()
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    }
    const chunks: Buffer[] = []
    if (isAway()) request.socket.destroy()
    else request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => void passOn(Buffer.concat(chunks)))
  }
