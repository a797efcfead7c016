// What the process says about itself. Probes run in the background and their results are cached, so that an answer never
// waits for a dependency: Knative asks often, and a hanging database must not make the question hang.
//
// H1  `/live` touches nothing and is true as long as the event loop turns. Nothing a dependency does changes it.
// H2  Ready = serving, and every probe up. Not while starting, not while draining.
// H3  One failed round does not unready a process that was ready, and one good round does not ready one that was down.

import { messageOf, SluiceError } from '../../errors/index.ts'
import type { Component, ComponentHealth } from '../../lifecycle/index.ts'
import { createDeadline, type Clock } from '../../time/index.ts'

export interface Probe {
  readonly name: string
  check(signal: AbortSignal): Promise<void>
}

export interface HealthOptions {
  /** Time between two rounds of probes, in milliseconds: the age an answer may have. */
  readonly everyMs: number
  /** Longest probe, in milliseconds. */
  readonly probeTimeoutMs: number
  /** Rounds in a row that it takes to change a verdict. */
  readonly rounds: number
}

export const healthDefaults: HealthOptions = { everyMs: 1_000, probeTimeoutMs: 2_000, rounds: 2 }

export interface HealthDeps {
  readonly clock: Clock
  /** `readiness_last_success_timestamp`. */
  readonly lastSuccess: { set(value: number): void }
  readonly probes: readonly Probe[]
  /** Shown in detail at /health. */
  readonly components: readonly Pick<Component, 'name' | 'health'>[]
}

export interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: string
}

export interface Health extends Component {
  /** The answer to GET of a path; undefined when the path is not one of health. Synchronous: nothing is waited for. */
  answer(path: string): HealthAnswer | undefined
  ready(): boolean
  setPhase(phase: HealthPhase): void
}

export type HealthPhase = 'starting' | 'serving' | 'draining'

interface Verdict {
  readonly health: ComponentHealth
  /** Rounds in a row that disagreed with the verdict. */
  readonly against: number
}

const unknown: Verdict = { health: { status: 'unknown' }, against: 0 }

export function createHealth(options: HealthOptions, { clock, lastSuccess, probes, components }: HealthDeps): Health {
  const verdicts = new Map<string, Verdict>()
  let phase: HealthPhase = 'starting'
  let timer = { cancel: (): void => undefined }
  let stopped = false

  const verdictOf = (name: string): Verdict => verdicts.get(name) ?? unknown
  const down = (): readonly string[] =>
    probes.map(({ name }) => name).filter((name) => verdictOf(name).health.status !== 'up')
  const ready = (): boolean => phase === 'serving' && down().length === 0

  async function probe({ name, check }: Probe): Promise<boolean> {
    const deadline = createDeadline({ ms: options.probeTimeoutMs, what: `probe of ${name}` }, { clock })
    const late = new Promise<never>((_resolve, reject) => {
      deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason as Error), { once: true })
    })
    try {
      await Promise.race([check(deadline.signal), late])
      verdicts.set(name, judge(verdictOf(name), { status: 'up', at: clock.now() }, options.rounds))
      return true
    } catch (error) {
      verdicts.set(
        name,
        judge(verdictOf(name), { status: 'down', at: clock.now(), error: shortError(error) }, options.rounds),
      )
      return false
    } finally {
      deadline.cancel()
    }
  }

  async function round(): Promise<void> {
    const results = await Promise.all(probes.map(probe))
    if (results.every(Boolean)) lastSuccess.set(clock.now() / 1_000)
    if (!stopped) timer = clock.after(options.everyMs, () => void round(), { unref: true })
  }

  function detail(): string {
    const now = clock.now()
    const parts = [
      ...probes.map(({ name }) => [`probe:${name}`, verdictOf(name).health] as const),
      ...components.map((component) => [component.name, component.health()] as const),
    ]
    const describe = ({ status, at, error }: ComponentHealth): Record<string, unknown> => ({
      status,
      ...(error === undefined ? {} : { error }),
      ...(at === undefined ? {} : { age_seconds: Math.max(0, Math.round((now - at) / 100) / 10) }),
    })
    return JSON.stringify({
      status: ready() ? 'ready' : 'not-ready',
      phase,
      components: Object.fromEntries(parts.map(([name, health]) => [name, describe(health)])),
    })
  }

  return {
    name: 'health',
    start: async () => round(),
    stop: async () => {
      stopped = true
      timer.cancel()
    },
    health: () => ({ status: ready() ? 'up' : 'down' }),
    ready,
    setPhase: (next) => {
      phase = next
    },
    answer: (path) => {
      if (path === '/live') return { status: 200, body: '{"status":"alive"}' }
      if (path === '/ready')
        return ready()
          ? { status: 200, body: '{"status":"ready"}' }
          : { status: 503, body: JSON.stringify({ status: 'not-ready', phase, down: down() }) }
      if (path === '/health') return { status: ready() ? 200 : 503, body: detail() }
      return undefined
    },
  }
}

function judge(current: Verdict, seen: ComponentHealth, rounds: number): Verdict {
  if (current.health.status === 'unknown' || current.health.status === seen.status) return { health: seen, against: 0 }
  const against = current.against + 1
  if (against >= rounds) return { health: seen, against: 0 }
  // The verdict stands, with the news of what went wrong.
  return { health: { ...current.health, ...(seen.error === undefined ? {} : { error: seen.error }) }, against }
}

/** A code where there is one: messages of drivers hold addresses. */
function shortError(error: unknown): string {
  if (error instanceof SluiceError) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return messageOf(error).slice(0, 80)
}
