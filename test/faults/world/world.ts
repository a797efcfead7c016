// The platform under fault: every function as it is deployed, one process each, on a real Kafka, Postgres and Redis, each behind
// a proxy, with the rehearsal model. One world serves all cases; each has to leave it healed.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sendMessage } from '../../../local/conversation-client/index.ts'
import type { Platform } from '../../../local/platform/index.ts'
import type { ProcessEvent, SupervisedProcess } from '../../../local/runner/index.ts'
import { loadConfig, secret } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { answersReady } from '../../support/answers-ready.ts'
import { projectCache } from '../../support/places.ts'
import { putUp, type AtEnd } from '../../support/put-up.ts'
import { until } from '../../support/until.ts'
import { startWatchedPlatform } from '../../support/watched-platform.ts'
import { workedOff } from './backlog.ts'
import { createBounds, type Bounds } from './bounds.ts'
import { startHttpHop, type HttpHop } from './http-hop.ts'
import { operationsOf } from './operations.ts'
import { startFaultyKafka, startFaultyPostgres, startFaultyRedis, type FaultyServer } from './servers.ts'
import { startTicks } from './ticks.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export interface World {
  readonly gatewayUrl: string
  /** By process name. */
  readonly urls: Platform['urls']
  readonly postgres: FaultyServer
  readonly redis: FaultyServer & { readonly direct: string }
  /** Undefined where there is no broker: the log is on Postgres then. */
  readonly kafka: FaultyServer | undefined
  readonly model: NonNullable<Platform['model']>
  /** Before memory-service, for whoever asks it. */
  readonly memory: HttpHop
  /** Past the proxy: for looking, not for working. */
  readonly database: Database
  readonly traffic: Traffic
  readonly bounds: Bounds
  readonly processes: readonly SupervisedProcess[]
  process(name: string): SupervisedProcess
  /** Where the process tells its health and metrics. */
  operationsUrl(name: string): string
  /** Ends and starts of processes so far. */
  readonly events: readonly ProcessEvent[]
  /** I13: the last operations of every kind succeed, every process is ready, nothing waits. Returns how long it took. */
  heals(): Promise<string>
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly log: 'kafka' | 'postgres'
  readonly print: (line: string) => void
}

/** From where on the event loop of a function counts as stuck: shorter than by default, to save time. */
export const loopBlockedMs = 4_000
/** Turns at once in the cases that want many. */
export const crowd = 24
const modelFirstTokenMs = 4_000
const healsWithinMs = 60_000
/** Operations of a kind that succeed, all of them, after the first one that does. */
const together = 4
const operationLimitMs = 20_000

export async function startWorld({ log: logKind, print }: WorldOptions): Promise<World> {
  return putUp(
    (atEnd) => assemble({ log: logKind, print }, atEnd),
    (error) => print(`while stopping: ${String(error)}`),
  )
}

async function assemble({ log: logKind, print }: WorldOptions, atEnd: AtEnd): Promise<Omit<World, 'stop'>> {
  const begun = performance.now()
  const home = join(projectCache, 'faults', 'shared')
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const folder = join(tmpdir(), `sluice-faults-${process.pid}`)
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  const kept = async <S extends FaultyServer | undefined>(starting: Promise<S>): Promise<S> => {
    const server = await starting
    if (server !== undefined) atEnd(() => server.stop())
    return server
  }
  const [postgres, redis, kafka] = await Promise.all([
    kept(startFaultyPostgres(join(folder, 'postgres'))),
    kept(startFaultyRedis()),
    logKind === 'kafka' ? kept(startFaultyKafka(join(folder, 'kafka'), print)) : undefined,
  ])

  const services = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, KAFKA_BROKERS: kafka?.url ?? '' }
  const environment = {
    NODE_OPTIONS: '--inspect-port=0', // for world/inspector.ts; nothing listens before it is asked
    SLUICE_LOOP_BLOCKED_MS: String(loopBlockedMs),
    SLUICE_MODEL_FIRST_TOKEN_TIMEOUT_MS: String(modelFirstTokenMs),
    SLUICE_MODEL_IDLE_TIMEOUT_MS: String(modelFirstTokenMs),
    ...services,
  }
  const memory = await startHttpHop()
  atEnd(() => memory.stop())
  const rehearsal = { delayMs: 0 }
  const { platform, events, database, logFolder } = await startWatchedPlatform(
    {
      home,
      environment,
      config: loadConfig(environment),
      rehearsal,
      entrances: { 'memory-service': memory.url },
      startLimitMs: 90_000,
      databaseUrl: secret(postgres.direct),
    },
    atEnd,
  )
  const { model, runner, gatewayUrl, urls } = platform
  assert.ok(model !== undefined)
  memory.to(urls.get('memory-service') ?? '')
  const { processes } = runner
  const process_ = (name: string): SupervisedProcess =>
    runner.process(name) ?? assert.fail(`there is no process ${name}`)
  const bounds = createBounds(processes.map((one) => ({ name: one.spec.name, pid: () => one.pid() })))
  const traffic = startTraffic({ gatewayUrl }, { database })
  atEnd(() => traffic.pause())
  const heals = createHeals({
    gatewayUrl,
    memoryUrl: urls.get('memory-service') ?? '',
    memorySyncUrl: urls.get('memory-sync') ?? '',
    processes,
    traffic,
    database,
    events,
  })
  const world = {
    gatewayUrl,
    urls,
    postgres,
    redis,
    kafka,
    model,
    memory,
    database,
    traffic,
    bounds,
    processes,
    process: process_,
    operationsUrl: (name: string) => process_(name).spec.readyUrl.replace(/\/ready$/, ''),
    events,
    heals,
  }
  await heals()
  await warmUp(gatewayUrl, database)
  bounds.measure()
  print(`the world is up and warm after ${((performance.now() - begun) / 1_000).toFixed(1)} s; logs in ${logFolder}`)
  return world
}

/** As many turns at once as any case has: connections to everything are open afterwards. */
async function warmUp(gatewayUrl: string, database: Database): Promise<void> {
  const signal = AbortSignal.timeout(60_000)
  await Promise.all(
    Array.from({ length: crowd }, () => sendMessage({ gatewayUrl, message: 'What is 2*3?', signal }, { clock })),
  )
  const openSql = `SELECT FROM agent.turn WHERE state NOT IN ('completed', 'failed')`
  await until('the platform is warm', async () => (await database.query(openSql)).rowCount === 0, { limitMs: 90_000 })
}

interface Healing {
  readonly gatewayUrl: string
  readonly memoryUrl: string
  readonly memorySyncUrl: string
  readonly processes: readonly SupervisedProcess[]
  readonly traffic: Traffic
  readonly database: Database
  readonly events: readonly ProcessEvent[]
}

function createHeals(healing: Healing): () => Promise<string> {
  const { memorySyncUrl, processes, traffic, database, events } = healing
  const operations = operationsOf(healing)
  let judged = 0

  return async () => {
    await traffic.pause()
    const begun = performance.now()
    const kinds = [...operations].map(async ([kind, operate]) => {
      const once = (): Promise<void> => operate(AbortSignal.timeout(operationLimitMs))
      for (let last: unknown; ;) {
        if (performance.now() - begun > healsWithinMs)
          assert.fail(`${kind}: does not succeed ${healsWithinMs / 1_000} s after the fault; ${String(last)}`)
        try {
          await once()
          await Promise.all(Array.from({ length: together }, once))
          return
        } catch (error) {
          last = error
        }
      }
    })
    await Promise.all(kinds)
    const limitMs = Math.max(10_000, healsWithinMs - (performance.now() - begun))
    for (const one of processes)
      await until(`${one.spec.name} is ready`, () => answersReady(one.spec.readyUrl), { limitMs, everyMs: 100 })
    const endTicks = startTicks(`${memorySyncUrl}/`)
    try {
      await workedOff(database, { limitMs })
    } finally {
      await endTicks()
    }
    const news = events.slice(judged)
    judged = events.length
    const ended = news.flatMap((event) => (event.kind === 'ended' ? [`${event.process} (${event.how})`] : []))
    assert.deepEqual(ended, [], 'no process ended: what functions lean on broke, not they')
    return `healed in ${((performance.now() - begun) / 1_000).toFixed(1)} s`
  }
}
