// What the process says about itself. Nothing here waits: verdicts come from background probes, so that a dependency that
// hangs does not make the question hang. Knative asks often.
//
// H1  `/live` asks no dependency. It fails only when the event loop was blocked beyond its limit (shared/lifecycle/heartbeat.ts).
// H2  Ready = serving, and every dependency that is needed up. Not while starting, not while draining.
// H3  Answers hold names, states, ages and codes: no message of an error, no address, no secret.

import type { Component, ComponentHealth } from '../../lifecycle/index.ts'
import type { Clock } from '../../time/index.ts'
import { createProbing, type Probe, type ProbingOptions, type Verdict } from './probing.ts'

export const healthDefaults: ProbingOptions = { everyMs: 1_000, informEveryMs: 15_000, timeoutMs: 2_000, rounds: 2 }

export interface HealthDeps {
  readonly clock: Clock
  /** `readiness_last_success_timestamp`. */
  readonly lastSuccess: { set(value: number): void }
  readonly probes: readonly Probe[]
  /** Shown at /health. */
  readonly components: readonly Pick<Component, 'name' | 'health'>[]
  /** Was the event loop blocked for too long, a moment ago? */
  readonly blocked: () => boolean
}

export interface HealthAnswer {
  readonly status: 200 | 503
  readonly body: string
}

export interface Health extends Component {
  /** The answer to GET of a path; undefined when the path is not one of health. Synchronous: nothing is waited for. */
  answer(path: string): HealthAnswer | undefined
  ready(): boolean
  /** Lets go of every dependency that is needed and down. */
  giveUpDown(): Promise<void>
  setPhase(phase: HealthPhase): void
}

export type HealthPhase = 'starting' | 'serving' | 'draining'

const alive: HealthAnswer = { status: 200, body: '{"status":"alive"}' }
const blockedAnswer: HealthAnswer = { status: 503, body: '{"status":"blocked"}' }

export function createHealth(options: ProbingOptions, deps: HealthDeps): Health {
  const { clock, lastSuccess, probes, components, blocked } = deps
  const probing = createProbing(options, { clock, probes, onAllUp: () => lastSuccess.set(clock.now() / 1_000) })
  let phase: HealthPhase = 'starting'

  const ready = (): boolean =>
    phase === 'serving' && probes.every((probe) => !probe.needed || probing.verdictOf(probe).status === 'up')

  const ageOf = (at: number): number => Math.max(0, Math.round((clock.now() - at) / 100) / 10)

  const describeVerdict = ({ status, at, lastError }: Verdict): object => ({
    status,
    ...(at === undefined ? {} : { age_seconds: ageOf(at) }),
    ...(lastError === undefined ? {} : { last_error: lastError.label, last_error_age_seconds: ageOf(lastError.at) }),
  })

  const describeComponent = ({ status, at, error }: ComponentHealth): object => ({
    status,
    ...(at === undefined ? {} : { age_seconds: ageOf(at) }),
    ...(error === undefined ? {} : { last_error: plainWords.test(error) ? error : 'internal' }),
  })

  const answer = (facts: object): HealthAnswer => ({
    status: ready() ? 200 : 503,
    body: JSON.stringify({
      status: ready() ? 'ready' : 'not-ready',
      phase,
      dependencies: Object.fromEntries(
        probes.map((probe) => [probe.name, { needed: probe.needed, ...describeVerdict(probing.verdictOf(probe)) }]),
      ),
      ...facts,
    }),
  })

  return {
    name: 'health',
    start: () => probing.start(),
    stop: async () => probing.stop(),
    health: () => ({ status: ready() ? 'up' : 'down' }),
    ready,
    giveUpDown: async () => {
      const down = probes.filter((probe) => probe.needed && probing.verdictOf(probe).status === 'down')
      await Promise.allSettled(down.map(async ({ giveUp }) => giveUp?.()))
    },
    setPhase: (next) => {
      phase = next
    },
    answer: (path) => {
      if (path === '/live') return blocked() ? blockedAnswer : alive
      if (path === '/ready') return answer({})
      if (path === '/health')
        return answer({
          components: Object.fromEntries(components.map(({ name, health }) => [name, describeComponent(health())])),
        })
      return undefined
    },
  }
}

/** What a component may say of its error; see `ComponentHealth`. Anything with a dot, a colon or an @ is none of it. */
const plainWords = /^\w{1,40}( \w{1,20}){0,5}$/
