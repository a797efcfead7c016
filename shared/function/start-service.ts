// From a contract and a behaviour to a running service, and back.
//
// Start: operations port → adapters → schema check → further components → server → probes → loops → ready.
// Drain: unready → loops stop and in-flight work ends → own outbox rows flushed → telemetry flushed → streams closed →
//        the rest in reverse order of start. The operations port answers until the end.

import type { Config } from '../config/index.ts'
import {
  createHeartbeat,
  runDrain,
  startComponents,
  type Component,
  type RunningComponents,
  type DrainReceipt,
  type DrainStep,
  type RunningService,
} from '../lifecycle/index.ts'
import type { Instruments, Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import { createAdapters } from './adapters.ts'
import type { Behaviour } from './composition.ts'
import { composeEntry, type Entry } from './entry.ts'
import type { AnyFunction } from './contract.ts'
import { createHealth, healthDefaults } from './operations/health.ts'
import { createOperationsServer } from './operations/operations-server.ts'
import { createSurroundings } from './surroundings.ts'
import type { DrainedWork } from './receiver/drained-work.ts'

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
  const surroundings = createSurroundings({
    name: definition.name,
    config,
    clock,
    log: given,
    draining: draining.signal,
  })
  const { log, instruments } = surroundings
  const adapters = await createAdapters(definition, surroundings)
  const components: Component[] = []
  const health = createHealth(healthDefaults, {
    clock,
    lastSuccess: instruments.readinessLastSuccess,
    probes: adapters.probes,
    components,
  })
  const entry = await composeEntry(definition, behaviour, { adapters, surroundings, health, options: { host, port } })
  const operations = createOperationsServer({ host, port: operationsPort }, { health, registry: instruments.registry })
  const heartbeat = createHeartbeat({ everyMs: 1_000 }, { clock, gauge: instruments.workerHeartbeat })

  const { server, loops } = entry
  components.push(operations, heartbeat, ...adapters.components, ...entry.components, server, health, ...loops)
  const running = await startComponents(components, signal)
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
      drain({
        totalMs,
        entry,
        running,
        clock,
        log,
        instruments,
        begin: () => {
          health.setPhase('draining')
          draining.abort()
        },
      }),
  }
}

interface Drain {
  readonly totalMs: number
  readonly entry: Entry
  readonly running: RunningComponents
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly begin: () => void
}

/** Part of the budget that in-flight work may use; the rest is for releasing, flushing and closing. */
const workShare = 0.8
/** Part of the budget after which work that cannot even be released, or a loop that does not stop, is left behind. */
const releaseShare = 0.9
/** Part of what is left at the end that the stop of one component may use. */
const stopShare = 0.25

async function drain({ totalMs, entry, running, clock, log, instruments, begin }: Drain): Promise<DrainReceipt> {
  const { server, loops, outbox } = entry
  const begun = clock.monotonic()
  let work: DrainedWork = { finished: [], released: [] }
  let flushedEvents = 0

  const leftMs = (): number => totalMs - (clock.monotonic() - begun)
  const finishWork = async (signal: AbortSignal): Promise<void> => {
    const stopping = Promise.allSettled(loops.toReversed().map((loop) => loop.stop()))
    work = await server.drain(signal)
    const failure = (await stopping).find(({ status }) => status === 'rejected')
    if (failure?.status === 'rejected') throw failure.reason
  }
  const flushOutbox = async (): Promise<void> => {
    const before = await publishedEvents(instruments)
    await outbox?.stop()
    flushedEvents = (await publishedEvents(instruments)) - before
  }
  const steps: DrainStep[] = [
    { name: 'unready', run: begin },
    { name: 'work', withinMs: totalMs * releaseShare, run: () => withSignal(totalMs * workShare, finishWork) },
    { name: 'outbox', run: flushOutbox },
    { name: 'telemetry', run: () => log.flush() },
    { name: 'streams', run: () => server.closeStreams() },
    { name: 'components', run: () => running.stop({ eachMs: Math.max(50, leftMs() * stopShare) }) },
  ]
  const { failed: failedSteps } = await runDrain(steps, { totalMs }, { clock, log })
  return { ...work, flushedEvents, failedSteps, seconds: (clock.monotonic() - begun) / 1_000 }

  async function withSignal(ms: number, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const expired = new AbortController()
    const timer = clock.after(ms, () => expired.abort())
    try {
      await run(expired.signal)
    } finally {
      timer.cancel()
    }
  }
}

const publishedEvents = async ({ outboxPublished }: Pick<Instruments, 'outboxPublished'>): Promise<number> =>
  (await outboxPublished.get()).values.reduce((sum, { value }) => sum + value, 0)
