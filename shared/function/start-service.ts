// From a contract and a behaviour to a running service, and back.
//
// Start: operations port → adapters → schema check → further components → server → heartbeat → probes → loops → ready.
// Drain: unready → loops stop and in-flight work ends → own outbox rows flushed → telemetry flushed → streams closed →
//        the rest in reverse order of start. The operations port answers until the end, and shows how long the drain took.

import type { Config } from '../config/index.ts'
import { SluiceError } from '../errors/index.ts'
import {
  createHeartbeat,
  startComponents,
  type Component,
  type DrainReceipt,
  type RunningService,
} from '../lifecycle/index.ts'
import { createLogLevel, createTracing, inSpan, type Logger, type SpanAttributes } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import { createAdapters } from './adapters.ts'
import type { Behaviour } from './composition.ts'
import { composeEntry, type FunctionServer } from './entry.ts'
import type { AnyFunction } from './contract.ts'
import { askReceiver } from './operations/ask-receiver.ts'
import { createHealth, healthDefaults } from './operations/health.ts'
import { createOperationsServer } from './operations/operations-server.ts'
import type { Probe } from './operations/probing.ts'
import { drainService } from './drain-service.ts'
import { createOverloadGuard } from './receiver/overload-guard.ts'
import { createSurroundings } from './surroundings.ts'

export interface ServiceDeps {
  readonly config: Config
  readonly clock: Clock
  /** Default: standard output. */
  readonly log?: Logger
}

export interface Service extends RunningService {
  readonly port: number
  readonly operationsPort: number
}

export async function startService<F extends AnyFunction>(
  definition: F,
  behaviour: Behaviour<F>,
  { config, clock, log: given, signal }: ServiceDeps & { readonly signal: AbortSignal },
): Promise<Service> {
  const { host, port, operationsPort, shutdownTimeoutMs } = config
  const draining = new AbortController()
  const plain = createSurroundings({
    name: definition.name,
    config,
    clock,
    log: given,
    draining: draining.signal,
  })
  const { log, instruments } = plain
  const tracing = await createTracing({ function: definition.name, config }, plain)
  const { tracer } = tracing
  const surroundings = { ...plain, tracer }
  const logLevel = createLogLevel({ log, clock })
  const adapters = await createAdapters(definition, surroundings)
  const components: Component[] = []
  const heartbeat = createHeartbeat(
    { everyMs: 1_000, blockedMs: config.loopBlockedMs },
    { clock, gauge: instruments.workerHeartbeat, alive: (limit) => requireAlive(entry.server, host, limit) },
  )
  const asked = { answer: (path: string) => health.answer(path) }
  const options = { host, port }
  const { shedLagMs: lagMs, shedHeapPercent: heapPercent } = config
  const guard = createOverloadGuard({ lagMs, heapPercent }, surroundings)
  const entry = await composeEntry(definition, behaviour, { adapters, surroundings, health: asked, options, guard })
  const { registry, readinessLastSuccess: lastSuccess } = instruments
  const probes = [...adapters.probes, ...entry.components.flatMap(probeOf)]
  const health = createHealth(healthDefaults, { clock, lastSuccess, probes, components, blocked: heartbeat.blocked })
  const operations = createOperationsServer({ host, port: operationsPort }, { health, registry, clock, logLevel })

  const { server, loops } = entry
  components.push(...adapters.components, ...entry.components, server, guard, heartbeat, health, ...loops)
  const outermost = await startComponents([operations], signal)
  const running = await startComponents(components, signal).catch(async (error: unknown) => {
    await outermost.stop()
    throw error
  })
  instruments.collectNodeMetrics()

  health.setPhase('serving')
  const seconds = clock.monotonic() / 1_000 // the clock's origin is the start of the process
  instruments.startupSeconds.observe(seconds)
  log.info({ port: server.port(), operations_port: operations.port(), seconds }, 'ready')

  return {
    log,
    port: server.port(),
    operationsPort: operations.port(),
    shutdownTimeoutMs,
    shutdownSeconds: instruments.shutdownSeconds,
    unfinished: () => server.unfinished(),
    drain: ({ totalMs }) =>
      inSpan(
        tracer,
        () => ({ name: 'shutdown' }),
        async (span) => {
          const receipt = await drainService({
            totalMs,
            entry,
            running,
            clock,
            log,
            instruments,
            tracing,
            unready: () => health.setPhase('draining'),
            delayMs: config.drainDelayMs,
            begin: () => draining.abort(),
            giveUpDown: health.giveUpDown,
          })
          span.set(shutdownFacts(receipt))
          return receipt
        },
      ),
    close: async ({ withinMs }) => {
      // The scrape has its own limit; whichever ends first does not cut the other off.
      await Promise.all([tracing.stop(withinMs), operations.nextScrape(Math.min(withinMs, config.lastScrapeMs))])
      await outermost.stop()
    },
  }
}

const shutdownFacts = ({ finished, released, flushedEvents, failedSteps }: DrainReceipt): SpanAttributes => ({
  'sluice.finished': finished.length,
  'sluice.released': released.length,
  'sluice.flushed_events': flushedEvents,
  'sluice.failed_steps': failedSteps,
})

/** What the composition brought along informs; a function that cannot do without something names it in its `needs`. */
const probeOf = (component: Component): readonly Probe[] =>
  component.probe === undefined
    ? []
    : [{ name: component.name, needed: false, check: async (signal) => component.probe?.(signal) }]

async function requireAlive(server: FunctionServer, host: string, signal: AbortSignal): Promise<void> {
  if (server.jammed?.() === true) throw new SluiceError('overloaded', 'no place was given back for too long')
  await askReceiver({ host, port: server.port() }, signal)
}
