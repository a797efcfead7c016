// The platform as a rolling restart meets it: two processes of every function behind a router, which looks at /ready now and then.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installedFunctions } from '../../../local/platform/index.ts'
import type { ProcessEvent } from '../../../local/runner/index.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { projectCache, projectRoot } from '../../support/places.ts'
import type { AtEnd } from '../../support/put-up.ts'
import { until } from '../../support/until.ts'
import { startWatchedPlatform } from '../../support/watched-platform.ts'
import { startTraffic, type Traffic, type TrafficOptions } from '../world/traffic.ts'
import { startRouter, type Router } from './router.ts'

export interface RollingWorld {
  /** Every process, a function's second one after its first. */
  readonly names: readonly string[]
  readonly router: (name: string) => Router
  readonly routers: readonly Router[]
  readonly gatewayUrl: string
  readonly operationsUrl: (name: string) => string
  readonly logFolder: string
  readonly traffic: Traffic
  readonly database: Database
  /** SIGTERM; resolves with how the process ended, once its successor is in rotation. */
  roll(name: string): Promise<string>
  /** SIGKILL; resolves once its successor is in rotation. */
  kill(name: string): Promise<void>
}

/** Longer than two looks of the router, so that it has noticed before anything is refused; see SLUICE_DRAIN_DELAY_MS. */
const drainDelayMs = 1_000
const comesBackWithinMs = 60_000

export interface RollingOptions {
  readonly name: string
  /** All of them unless named. */
  readonly twice?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly traffic?: Omit<TrafficOptions, 'gatewayUrl'>
}

export async function startRollingWorld(
  { name: title, twice, env = {}, traffic: load = {} }: RollingOptions,
  atEnd: AtEnd,
): Promise<RollingWorld> {
  const home = join(projectCache, 'faults', title)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const functions = (await installedFunctions(projectRoot)).map(({ name }) => name)
  const routed = new Map<string, Router>()
  for (const name of functions) {
    const router = await startRouter()
    atEnd(() => router.stop())
    routed.set(name, router)
  }
  const environment = {
    SLUICE_DRAIN_DELAY_MS: String(drainDelayMs),
    SHUTDOWN_TIMEOUT_MS: '20000',
    SLUICE_STREAMS_PER_TENANT: '2000',
    ...env,
  }
  const { platform, events, database, logFolder } = await startWatchedPlatform(
    {
      home,
      environment,
      config: loadConfig(environment),
      instances: Object.fromEntries((twice ?? functions).map((name) => [name, 2])),
      entrances: Object.fromEntries([...routed].map(([name, { url }]) => [name, url])),
      rehearsal: { delayMs: 0 },
      startLimitMs: 180_000,
    },
    atEnd,
  )
  for (const [name, router] of routed) {
    const own = platform.runner.processes.filter(({ spec }) => spec.function === name).map(({ spec }) => spec.name)
    router.serve(
      own.map((one) => ({
        name: one,
        url: platform.urls.get(one) ?? '',
        operationsUrl: platform.operationsUrls.get(one) ?? '',
      })),
    )
  }
  const router = (process_: string): Router => {
    const code = platform.runner.process(process_)?.spec.function ?? process_
    return routed.get(code) ?? assert.fail(`there is no function ${process_}`)
  }
  const gatewayUrl = router('gateway').url
  const traffic = startTraffic({ ...load, gatewayUrl }, { database })
  atEnd(() => traffic.pause())

  async function end(name: string, signal: NodeJS.Signals): Promise<string> {
    const seen = events.length
    const since = (kind: ProcessEvent['kind']): ProcessEvent | undefined =>
      events.slice(seen).find((event) => event.kind === kind && event.process === name)
    assert.ok(platform.runner.process(name)?.kill(signal), `${name} is not running`)
    const ended = await until(`${name} has ended`, () => since('ended'), { limitMs: comesBackWithinMs })
    await until(`${name} is in rotation again`, () => since('ready') !== undefined && router(name).isReady(name), {
      limitMs: comesBackWithinMs,
    })
    return ended.kind === 'ended' ? ended.how : ''
  }

  return {
    names: platform.runner.processes.map(({ spec }) => spec.name),
    router,
    routers: [...routed.values()],
    gatewayUrl,
    operationsUrl: (name) => platform.operationsUrls.get(name) ?? assert.fail(`there is no process ${name}`),
    logFolder,
    traffic,
    database,
    roll: (name) => end(name, 'SIGTERM'),
    kill: async (name) => void (await end(name, 'SIGKILL')),
  }
}
