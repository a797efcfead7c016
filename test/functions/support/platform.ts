// The agent platform in one process, for tests of functions: the real services on real ports over a real Postgres, with
// KafkaSource twins between log and functions and a rehearsal model that the test scripts.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createConversationWorker } from '../../../functions/conversation-worker/compose.ts'
import { conversationWorker } from '../../../functions/conversation-worker/function.ts'
import type { GatewayOptions } from '../../../functions/gateway/app.ts'
import { createGateway } from '../../../functions/gateway/compose.ts'
import { gateway } from '../../../functions/gateway/function.ts'
import { createOutboxSync } from '../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { createToolExecutor } from '../../../functions/tool-executor/compose.ts'
import { toolExecutor } from '../../../functions/tool-executor/function.ts'
import type { Tool } from '../../../functions/tool-executor/tool.ts'
import { tools as allTools } from '../../../functions/tool-executor/tools/index.ts'
import { createHttpSender, createKafkaSource } from '../../../local/kafka-source/index.ts'
import { parseScript, startRehearsalModel } from '../../../local/rehearsal-model/index.ts'
import { loadConfig, secret, type Config } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { allTopics } from '../../../shared/events/index.ts'
import type { AnyFunction, Behaviour, Resources } from '../../../shared/function/index.ts'
import { startService, type Service } from '../../../shared/function/start-service.ts'
import { createModelClient, type ModelClient } from '../../../shared/model/index.ts'
import { createLogger, type Logger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'

type WorkerParts = Resources<typeof conversationWorker>

export interface PlatformOptions {
  readonly script?: string
  readonly gateways?: number
  readonly gateway?: Partial<GatewayOptions>
  readonly tools?: readonly Tool[]
  readonly env?: Readonly<Record<string, string>>
  /** False: nothing takes events to the tool-executor, as if it were away. */
  readonly toolsAnswer?: boolean
  /** Changes what the conversation-worker works with. */
  readonly workerParts?: (parts: WorkerParts) => WorkerParts
  /** Pause between the words of an answer, in milliseconds. */
  readonly delayMs?: number
}

export interface Platform {
  readonly database: Database
  readonly databaseUrl: string
  readonly model: Awaited<ReturnType<typeof startRehearsalModel>>
  readonly gateways: readonly Service[]
  readonly worker: Service
  readonly executor: Service
  /** Base URL of the first gateway. */
  readonly url: string
  play(script: string): void
}

export async function startPlatform(t: TestContext, options: PlatformOptions = {}): Promise<Platform> {
  const {
    script,
    gateways: count = 1,
    gateway: gatewayOptions = {},
    tools = allTools,
    toolsAnswer = true,
    delayMs = 0,
    workerParts = (parts) => parts,
  } = options
  const log = testLogger()
  const { url: databaseUrl } = await createTestDatabase(t)
  const database = await openDatabase(t, databaseUrl, log)
  await seed(database, tools)
  const model = await startRehearsalModel({
    port: 0,
    delayMs,
    ...(script === undefined ? {} : { script: parseScript(script) }),
  })
  atEnd(t, () => model.stop())

  const env = {
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    SLUICE_DATABASE_POOL_SIZE: '6',
    MODEL_BASE_URL: model.url,
    ...options.env,
  }
  const start = <F extends AnyFunction>(definition: F, behaviour: Behaviour<F>, more = {}): Promise<Service> =>
    startForTest(t, { definition, behaviour, config: loadConfig({ ...env, ...more }), log })

  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  await eventLog.start(new AbortController().signal)
  atEnd(t, () => eventLog.stop())
  await eventLog.ensureTopics(allTopics)

  const worker = await start(conversationWorker, {
    compose: (parts) => createConversationWorker(workerParts({ ...parts, model: patientModel(t, model.url, parts) })),
  })
  const executor = await start(toolExecutor, { compose: (resources) => createToolExecutor(resources, tools) })
  const urls = `conversation-worker=http://127.0.0.1:${worker.port},tool-executor=http://127.0.0.1:${executor.port}`
  await start(outboxSync, { compose: createOutboxSync }, { SLUICE_FUNCTION_URLS: urls })

  const sender = createHttpSender({ clock })
  atEnd(t, () => sender.close())
  const sources = [
    { topic: 'conversation.inbound', port: worker.port },
    { topic: 'tool.results', port: worker.port },
    ...(toolsAnswer ? [{ topic: 'tool.requests', port: executor.port }] : []),
  ]
  for (const { topic, port } of sources) {
    const name = topic.replace('.', '-')
    const source = createKafkaSource(
      {
        source: {
          metadata: { name, namespace: 'test' },
          spec: {
            topics: [topic],
            consumerGroup: name,
            initialOffset: 'earliest',
            delivery: { retry: 10, backoffPolicy: 'linear', backoffDelay: 'PT0.1S', timeout: 'PT10S' },
            sink: { uri: `http://127.0.0.1:${port}` },
            ceOverrides: { extensions: { sluicetopic: topic } },
          },
        },
        wake: 'append',
        pollEveryMs: 500,
        maxPollRecords: 50,
        commitEveryMs: 500,
      },
      { log: eventLog, sender, clock, logger: log, spanId: () => randomBytes(8).toString('hex') },
    )
    await source.start(new AbortController().signal)
    atEnd(t, () => source.stop())
  }

  const gateways: Service[] = []
  while (gateways.length < count) {
    gateways.push(await start(gateway, { compose: (resources) => createGateway(resources, gatewayOptions) }))
  }
  const [first] = gateways
  return {
    database,
    databaseUrl,
    model,
    gateways,
    worker,
    executor,
    url: `http://127.0.0.1:${first?.port ?? 0}`,
    play: (text) => model.play(parseScript(text)),
  }
}

/** A breaker that closes again at once: tests of failures must not get in each other's way. */
function patientModel(t: TestContext, baseUrl: string, resources: WorkerParts): ModelClient {
  const timeouts = { connectMs: 2_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 120_000 }
  const model = createModelClient({ baseUrl, timeouts, breakerResetMs: 1 }, resources)
  atEnd(t, () => model.stop())
  return model
}

export async function openDatabase(t: TestContext, url: string, log: Logger = testLogger()): Promise<Database> {
  const limits = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000 }
  const database = createDatabase({ url: secret(url), applicationName: 'test', ...limits }, { log, clock })
  await database.start(new AbortController().signal)
  atEnd(t, () => database.stop())
  return database
}

interface StartOptions<F extends AnyFunction> {
  readonly definition: F
  readonly behaviour: Behaviour<F>
  readonly config: Config
  readonly log: Logger
}

/** Starts a service and drains it at the end of the test; a drain that hangs fails the test. */
export async function startForTest<F extends AnyFunction>(
  t: TestContext,
  { definition, behaviour, config, log }: StartOptions<F>,
): Promise<Service> {
  const service = await startService(definition, behaviour, {
    config,
    clock,
    log: log.child({ function: definition.name }) as Logger,
    signal: new AbortController().signal,
  })
  atEnd(t, async () => {
    const { seconds } = await service.drain({ totalMs: 4_000 })
    await service.close({ withinMs: 0 })
    assert.ok(seconds < 5, `${definition.name} drained for ${seconds} s`)
  })
  return service
}

/** TEST_LOG_LEVEL=debug shows what the services say. */
export const testLogger = (): Logger =>
  createLogger({ function: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

async function seed(database: Database, tools: readonly Tool[]): Promise<void> {
  await database.query(
    `INSERT INTO agent.model_profile (tenant, profile, model, max_tool_rounds) VALUES ('*', 'default', 'rehearsal', 4)`,
  )
  const rows = tools.map(({ name, description, parameters }) => ({ name, description, parameters }))
  await database.query(
    `INSERT INTO agent.tool_catalog (tenant, tool, description, parameters)
     SELECT '*', name, description, parameters FROM jsonb_to_recordset($1::jsonb) AS tool (name text, description text, parameters jsonb)`,
    [JSON.stringify(rows)],
  )
}
