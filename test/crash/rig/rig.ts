// Everything a crash run needs, as real processes: Kafka (or the log on Postgres), Postgres behind the proxy, two instances of
// each function behind a balancer, the source, outbox-sync, the bank.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { allotPorts } from '../../../local/runner/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, migrate, type Database } from '../../../shared/database/index.ts'
import { createKafkaEventLog, createPostgresEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { deadLetterTopicOf, topics } from '../../../shared/events/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { answersReady } from '../../support/answers-ready.ts'
import { startKillablePostgres, type KillablePostgres } from '../../support/killable-postgres.ts'
import { projectRoot } from '../../support/places.ts'
import { putUp, type AtEnd } from '../../support/put-up.ts'
import { startBrokerFromJars, type Broker } from '../../support/services/kafka/broker-from-jars.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { tablesSql } from '../workload/functions.ts'
import { startBalancer, type Balancer } from './balancer.ts'
import { startBank } from './bank.ts'
import { startCommitProxy, type CommitProxy } from './commit-proxy.ts'
import { createKeptProcess, type KeptProcess, type ProcessEnd } from './kept-process.ts'

export interface RigOptions {
  readonly log: 'kafka' | 'postgres'
  readonly folder: string
  /** Data of the servers. Found there, a run goes on with it; stop() removes it. */
  readonly serversFolder: string
  readonly arms: ReadonlyMap<string, readonly string[]>
  readonly random: SeededRandom
  readonly onEnd: (end: ProcessEnd) => void
}

export interface Rig {
  readonly processes: ReadonlyMap<string, KeptProcess>
  readonly balancers: ReadonlyMap<string, { readonly balancer: Balancer; readonly ports: readonly number[] }>
  readonly proxy: CommitProxy
  readonly postgres: KillablePostgres
  readonly broker: Broker | undefined
  /** Past the proxy: for looking, not for working. */
  readonly database: Database
  /** The way of the senders. */
  readonly eventLog: EventLog
  stop(): Promise<void>
}

const usedTopics = [topics.toolRequests, topics.toolResults, topics.conversationOutbound]
export const rigTopics = usedTopics.flatMap((topic) => [topic, deadLetterTopicOf(topic)])

export async function startRig(options: RigOptions): Promise<Rig> {
  return putUp(
    (atEnd) => assemble(options, atEnd),
    () => undefined, // what was killed need not stop well
  )
}

async function assemble(options: RigOptions, atEnd: AtEnd): Promise<Omit<Rig, 'stop'>> {
  const { log: logKind, folder, serversFolder, random } = options
  const log = createLogger({ function: 'crash', level: 'silent' })
  const [postgres, broker] = await Promise.all([
    startPostgres(serversFolder, atEnd),
    logKind === 'kafka' ? startKafka(serversFolder, atEnd) : undefined,
  ])
  const proxy = await startCommitProxy({ port: postgres.port, isAtRisk: (name) => functions.has(name) })
  atEnd(() => proxy.stop())
  const through = new URL(postgres.url)
  through.port = String(proxy.port)

  const limits = { statementTimeoutMs: 60_000, lockTimeoutMs: 10_000, stopTimeoutMs: 1_000 }
  const open = async (url: string, applicationName: string, poolSize: number): Promise<Database> => {
    const database = createDatabase({ url: secret(url), applicationName, poolSize, ...limits }, { log, clock })
    atEnd(() => database.stop())
    await database.start(AbortSignal.timeout(30_000))
    return database
  }
  const database = await open(postgres.url, 'crash', 4)
  await migrate(database, { directory: join(projectRoot, 'schemas', 'database'), log })
  await database.query(tablesSql)
  const eventLog =
    broker === undefined
      ? createPostgresEventLog({}, { database: await open(through.href, 'senders', 4), clock, log })
      : createKafkaEventLog({ brokers: [broker.brokers], clientId: 'senders' }, { clock, log })
  atEnd(() => eventLog.stop())
  await eventLog.start(AbortSignal.timeout(60_000))
  await eventLog.ensureTopics(rigTopics)

  const bank = await startBank({ file: join(folder, 'bankCalls.jsonl'), random })
  atEnd(() => bank.stop())
  const fleet = await startFleet(
    { ...options, databaseUrl: through.href, brokers: broker?.brokers ?? '', bankUrl: bank.url },
    atEnd,
  )
  return {
    ...fleet,
    proxy,
    postgres,
    broker,
    database,
    eventLog,
  }
}

async function startKafka(serversFolder: string, atEnd: AtEnd): Promise<Broker> {
  const broker = await startBrokerFromJars({ folder: join(serversFolder, 'kafka') })
  if ('missing' in broker) throw new Error(`no Kafka broker: ${broker.missing}. Run with --log postgres.`)
  atEnd(() => broker.stop())
  return broker
}

async function startPostgres(serversFolder: string, atEnd: AtEnd): Promise<KillablePostgres> {
  atEnd(() => rmSync(serversFolder, { recursive: true, force: true }))
  const postgres = await startKillablePostgres(serversFolder, { maxConnections: 300 })
  atEnd(() => postgres.stop())
  return postgres
}

interface FleetOptions extends RigOptions {
  readonly databaseUrl: string
  readonly brokers: string
  readonly bankUrl: string
}

const instances = 2
const functions: ReadonlySet<string> = new Set(['counter', 'banker'])

async function startFleet(options: FleetOptions, atEnd: AtEnd): Promise<Pick<Rig, 'processes' | 'balancers'>> {
  const { folder, arms, onEnd, databaseUrl, brokers, bankUrl } = options
  const [operations = 0, syncPort = 0, counterPort = 0, bankerPort = 0, ...ports] = await allotPorts(4 + 4 * instances)
  const urls = `counter=http://127.0.0.1:${counterPort},banker=http://127.0.0.1:${bankerPort}`
  const shared = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: brokers,
    LOG_LEVEL: 'warn',
    SLUICE_TEST_MODE: 'true',
    SHUTDOWN_TIMEOUT_MS: '4000',
    TEST_BANK_URL: bankUrl,
    TEST_RUNS_FILE: join(folder, 'runs.jsonl'),
    TEST_DROPS_FILE: join(folder, 'drops.jsonl'),
    TEST_FUNCTION_URLS: urls,
    SLUICE_FUNCTION_URLS: urls,
  }
  const processes = new Map<string, KeptProcess>()
  const balancers = new Map<string, { balancer: Balancer; ports: readonly number[] }>()
  const place = { cwd: projectRoot, folder, onEnd }
  const add = (name: string, script: string, address: { readonly port: number; readonly operations: number }): void => {
    const env = { ...shared, PORT: String(address.port), SLUICE_OPERATIONS_PORT: String(address.operations) }
    const ready = () => answersReady(`http://127.0.0.1:${address.operations}/ready`)
    const kept = createKeptProcess({ ...place, name, script, env, ready, arms: arms.get(name) ?? [] })
    atEnd(() => kept.stop())
    processes.set(name, kept)
  }
  for (const [name, port] of [
    ['counter', counterPort],
    ['banker', bankerPort],
  ] as const) {
    const serving: number[] = []
    for (let instance = 1; instance <= instances; instance += 1) {
      const address = { port: ports.pop() ?? 0, operations: ports.pop() ?? 0 }
      serving.push(address.port)
      add(`${name}-${instance}`, `test/crash/workload/${name}-process.ts`, address)
    }
    const balancer = await startBalancer({ port, instances: serving })
    atEnd(() => balancer.stop())
    balancers.set(name, { balancer, ports: serving })
  }
  add('outbox-sync', 'functions/outbox-sync/main.ts', { port: syncPort, operations })
  const source = createKeptProcess({
    ...place,
    name: 'source',
    script: 'test/crash/workload/source-process.ts',
    env: shared,
    arms: [],
    ready: async (lines) => lines.includes('ready'),
  })
  atEnd(() => source.stop())
  processes.set('source', source)
  await Promise.all([...processes.values()].map((one) => one.start()))
  return { processes, balancers }
}
