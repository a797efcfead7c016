// The whole platform on this machine, in the order of its parts:
//
//   Postgres ─▶ migrations, topics, seeds ─▶ model ─▶ functions, each a process ─▶ sources
//
// P1  Parts stop in reverse order: sources first, so that nothing new comes while functions end their work.
// P2  A start that fails leaves nothing running.
// P3  Where DATABASE_URL, KAFKA_BROKERS, REDIS_URL or MODEL_BASE_URL is set, that service is used and none started for it.

import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Config, Secret } from '../../shared/config/index.ts'
import { createDatabase, migrate, type Database } from '../../shared/database/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { createEventLog, type EventLog } from '../../shared/event-log/index.ts'
import { allTopics } from '../../shared/events/index.ts'
import type { AnyFunction } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { createKafkaSink } from '../kafka-sink/index.ts'
import { createHttpSender, createKafkaSource, upstreamTiming } from '../kafka-source/index.ts'
import { createPingSource, sendTick } from '../ping-source/index.ts'
import { createRunner, createSourceWatch, type ProcessEvent, type Runner } from '../runner/index.ts'
import { seedEmptyDatabase } from '../seeds/index.ts'
import { compileCacheEnv, warmCompileCache } from './compile-cache.ts'
import { startPostgres, type PlatformPostgres } from './database-server.ts'
import { givenKafka, givenPostgres, givenTriesMs, startGiven } from './given-services.ts'
import { installedFunctions } from './installed-functions.ts'
import { startModel, type RehearsalModel, type RehearsalPace } from './model.ts'
import { planProcesses, type PlannedProcess } from './process-specs.ts'
import { removePrometheusTargets, writePrometheusTargets } from './prometheus-targets.ts'
import { createReleaseStack } from './release-stack.ts'
import { kafkaSourcesOf, pingSourcesOf, type SinkUrl } from './sources.ts'

export interface PlatformOptions {
  /** The project folder. */
  readonly root: string
  /** Holds data and logs. */
  readonly home: string
  /** Passed on to every function, beside what the platform decides. */
  readonly environment: Readonly<Record<string, string>>
  readonly config: Config
  readonly gatewayPort: number
  /** Processes of a function, where not one. */
  readonly instances?: Readonly<Record<string, number>>
  /** Where a function is reached when something stands before its processes. Default: its first process. */
  readonly entrances?: Readonly<Record<string, string>>
  /** By process, as SLUICE_FAILPOINTS takes them. */
  readonly failpoints?: Readonly<Record<string, string>>
  readonly rehearsal?: RehearsalPace
  /** Restart functions when their code changes. */
  readonly watch?: boolean
  /** Off only where the data may be lost with the machine, as in tests. */
  readonly fsync?: boolean
}

export type PlatformStep =
  | { readonly step: 'postgres'; readonly version: string }
  | { readonly step: 'migrated'; readonly files: number }
  | { readonly step: 'seeded'; readonly rows: number }
  | { readonly step: 'functions'; readonly names: readonly string[] }

export interface PlatformDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly onStep: (step: PlatformStep) => void
  readonly onProcess: (event: ProcessEvent) => void
}

export interface Platform {
  readonly gatewayUrl: string
  /** URL of each process, by its name. */
  readonly urls: ReadonlyMap<string, string>
  /** The same of its operations port, where health and metrics are. */
  readonly operationsUrls: ReadonlyMap<string, string>
  readonly databaseUrl: Secret<string>
  readonly postgres: PlatformPostgres
  readonly eventLog: EventLog
  readonly runner: Runner
  /** Absent when a provider is used. */
  readonly model?: RehearsalModel
  stop(): Promise<void>
}

const databaseOptions = { poolSize: 10, statementTimeoutMs: 30_000, lockTimeoutMs: 5_000, applicationName: 'local' }

export async function startPlatform(
  options: PlatformOptions,
  deps: PlatformDeps,
  signal: AbortSignal,
): Promise<Platform> {
  const { root, home, config, fsync = true } = options
  const { onStep } = deps
  const release = createReleaseStack()
  const start = async <C extends Component>(component: C): Promise<C> => {
    await component.start(signal)
    release.add(() => component.stop())
    return component
  }
  try {
    const functions = await installedFunctions(root)
    const [postgres] = await Promise.all([
      startPostgres(config, { root, home, fsync }),
      warmCompileCache({ root, functions }, signal),
    ])
    release.add(() => postgres.stop())
    if (postgres.embedded !== undefined) onStep({ step: 'postgres', version: postgres.embedded.version })
    signal.throwIfAborted()

    const tries = config.databaseUrl === undefined ? {} : { startTimeoutMs: givenTriesMs }
    const database = createDatabase({ ...databaseOptions, ...tries, url: postgres.url }, deps)
    await startGiven(givenPostgres(config), database, signal)
    release.add(() => database.stop())
    await prepareDatabase(database, options, deps)
    const eventLog = createEventLog(config, { ...deps, database, name: 'local' })
    await startGiven(givenKafka(config), eventLog, signal)
    release.add(() => eventLog.stop())
    await eventLog.ensureTopics(allTopics)
    const model = await startModel(config, options.rehearsal)
    release.add(() => model.stop())

    const planned = await planFunctions(functions, { postgres, modelUrl: model.url }, options)
    const runner = await start(
      createRunner(
        planned.map(({ spec }) => spec),
        { clock: deps.clock, onEvent: deps.onProcess },
      ),
    )
    onStep({ step: 'functions', names: planned.map(({ spec }) => spec.name) })
    const readyUrls = planned.map(({ spec }) => spec.readyUrl)
    writePrometheusTargets(home, readyUrls)
    release.add(() => removePrometheusTargets(home))

    const urls = new Map(planned.map(({ spec, url }) => [spec.name, url]))
    const sender = createHttpSender(deps)
    release.add(() => sender.close())
    const sink = await start(createKafkaSink({ eventLog }))
    const sinks = new Map([...urls, ...Object.entries(options.entrances ?? {})])
    for (const source of createSources(functions, sinks, {
      ...deps,
      sinkUrl: sink.url,
      eventLog,
      sender,
      usesKafka: config.kafkaBrokers.length > 0,
    })) {
      await start(source)
    }
    if (options.watch === true) await start(createSourceWatch({ root, processes: runner.processes }, deps))
    return {
      gatewayUrl: urls.get('gateway') ?? '',
      urls,
      operationsUrls: new Map(planned.map(({ spec, operationsUrl }) => [spec.name, operationsUrl])),
      databaseUrl: postgres.url,
      postgres,
      eventLog,
      runner,
      ...(model.rehearsal === undefined ? {} : { model: model.rehearsal }),
      stop: release.all,
    }
  } catch (error) {
    await release.all().catch(() => undefined) // why it did not start is what matters
    throw error
  }
}

async function prepareDatabase(
  database: Database,
  { root, config }: PlatformOptions,
  { log, onStep }: PlatformDeps,
): Promise<void> {
  const applied = await migrate(database, { directory: join(root, 'schemas', 'database'), log }).catch(
    (error: unknown) => {
      throw isEdited(error) && config.databaseUrl === undefined ? withRemedy(error) : error
    },
  )
  if (applied.length > 0) onStep({ step: 'migrated', files: applied.length })
  const rows = await seedEmptyDatabase(database, { root })
  if (rows > 0) onStep({ step: 'seeded', rows })
}

const isEdited = (error: unknown): error is SluiceError =>
  error instanceof SluiceError && error.details['migration'] === 'edited'

const withRemedy = ({ code, message }: SluiceError): SluiceError =>
  new SluiceError(code, `${message}; or begin with an empty database: npm start -- --fresh`)

function planFunctions(
  functions: readonly AnyFunction[],
  { postgres, modelUrl }: { readonly postgres: PlatformPostgres; readonly modelUrl: string },
  { root, home, environment, gatewayPort, instances = {}, entrances = {}, failpoints = {} }: PlatformOptions,
): Promise<readonly PlannedProcess[]> {
  const env = {
    ...compileCacheEnv(root),
    ...environment,
    DATABASE_URL: postgres.url.reveal(),
    MODEL_BASE_URL: modelUrl,
  }
  const logFolder = join(home, 'logs')
  return planProcesses({ root, functions, instances, entrances, gatewayPort, env, failpoints, logFolder })
}

const spanId = (): string => randomBytes(8).toString('hex')

interface SourceDeps extends PlatformDeps {
  readonly eventLog: EventLog
  readonly sender: ReturnType<typeof createHttpSender>
  readonly usesKafka: boolean
  readonly sinkUrl: SinkUrl
}

/** With Kafka nobody tells this process of appends, so the sources poll as upstream's do. */
const pollEveryMs = { kafka: upstreamTiming.pollEveryMs, postgres: 1_000 }
const commitEveryMs = 1_000

function createSources(
  functions: readonly AnyFunction[],
  urls: ReadonlyMap<string, string>,
  deps: SourceDeps,
): readonly Component[] {
  const { clock, log, eventLog, sender, usesKafka, sinkUrl } = deps
  return functions.flatMap((definition) => {
    const url = `${urls.get(definition.name) ?? ''}/`
    const kafkaSources = kafkaSourcesOf(definition, url, sinkUrl).map((source) =>
      createKafkaSource(
        {
          source,
          wake: 'append',
          pollEveryMs: usesKafka ? pollEveryMs.kafka : pollEveryMs.postgres,
          maxPollRecords: upstreamTiming.maxPollRecords,
          commitEveryMs,
        },
        { log: eventLog, sender, clock, logger: log, spanId },
      ),
    )
    const pingSources = pingSourcesOf(definition, url).map((source) =>
      createPingSource(source, { clock, logger: log, newId: randomUUID, send: sendTick }),
    )
    return [...kafkaSources, ...pingSources]
  })
}
