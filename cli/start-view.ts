// What `npm start` shows: a line for each step, one block when the platform is ready, a line when a process ends.

import type { PlatformStep } from '../local/platform/index.ts'
import type { ProcessEvent } from '../local/runner/index.ts'
import type { Clock } from '../shared/time/index.ts'

export interface ReadyFacts {
  readonly gatewayUrl: string
  readonly readyMs: number
  readonly logs: string
  /** Absent when DATABASE_URL names the database. */
  readonly data: string | undefined
  /** Empty: the rehearsal model. */
  readonly model: string
}

export interface StartView {
  onStep(step: PlatformStep): void
  onProcess(event: ProcessEvent): void
  ready(facts: ReadyFacts): void
  stopping(why: string | undefined): void
  stopped(): void
}

export interface StartViewDeps {
  readonly say: (line: string) => void
  readonly clock: Pick<Clock, 'monotonic'>
}

export function createStartView({ say, clock }: StartViewDeps): StartView {
  let since = clock.monotonic()
  let stopping = false
  const lap = (): string => {
    const ms = clock.monotonic() - since
    since = clock.monotonic()
    return seconds(ms)
  }
  return {
    onStep: (step) => say(`  ${textOf(step)} (${lap()})`),
    onProcess: (event) => {
      const text = stopping ? undefined : textOfProcess(event)
      if (text !== undefined) say(text)
    },
    ready: (facts) => say(readyBlock(facts)),
    stopping: (why) => {
      stopping = true
      since = clock.monotonic()
      say(why === undefined ? '\nStopping …' : `\n${why}. Stopping …`)
    },
    stopped: () => say(`Stopped in ${lap()}. Data stays; npm start -- --fresh begins empty.`),
  }
}

function textOf(step: PlatformStep): string {
  if (step.step === 'postgres') return `Postgres ${step.version} runs`
  if (step.step === 'migrated') return `database prepared: ${step.files} migration${step.files === 1 ? '' : 's'}`
  if (step.step === 'seeded') return `seeds loaded: ${step.rows} rows`
  return `functions run: ${step.names.join(', ')}`
}

function textOfProcess(event: ProcessEvent): string | undefined {
  const { process: name } = event
  if (event.kind === 'restarting') return `${name} restarts: ${event.reason}`
  if (event.kind === 'ready' && event.starts > 1) return `${name} is back after ${seconds(event.afterMs)}`
  if (event.kind !== 'ended') return undefined
  const words = event.lastWords === '' ? '' : `: ${event.lastWords}`
  return `${name} ended (${event.how})${words}; starting it again in ${seconds(event.restartInMs)}`
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

const question = 'What is 17*23, and what time is it in Lima?'

function readyBlock({ gatewayUrl, readyMs, logs, data, model }: ReadyFacts): string {
  const body = JSON.stringify({ session_id: 'demo', message: question })
  return `
Sluice is ready (${seconds(readyMs)}).

  gateway  ${gatewayUrl}
  try      npx sluice chat
           npx sluice send "${question}"
           curl -X POST ${gatewayUrl}/v1/session/message -H 'content-type: application/json' -d '${body}'
           curl -N ${gatewayUrl}/v1/session/demo/events    # what became of it, as a stream
  model    ${model === '' ? 'the rehearsal model, offline; MODEL_BASE_URL, MODEL_API_KEY and MODEL_NAME use a real one' : model}
  logs     ${logs}/<process>.log
  data     ${data ?? 'where DATABASE_URL says'}
  stop     Ctrl-C
`
}
