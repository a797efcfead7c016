// The PingSource twin: a POST on every tick of a schedule, in the shape of knative/eventing's mtping adapter (binary mode,
// type dev.knative.sources.ping, a fresh id each tick). A tick that fails is tried five more times from 50 ms on, doubling,
// and then forgotten: the next tick makes up for it.

import type { Component, ComponentHealth } from '../../shared/lifecycle/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock, Timer } from '../../shared/time/index.ts'
import { parseCron } from './cron.ts'

export interface PingSourceSpec {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    /** Five cron fields, UTC. */
    readonly schedule: string
    readonly sink: { readonly uri: string }
    readonly contentType?: string
    readonly data?: string
  }
}

export interface TickRequest {
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export interface PingSourceDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly newId: () => string
  /** Sends once and resolves with the status. Rejects when nothing whole came back, or the signal aborted. */
  readonly send: (request: TickRequest, signal: AbortSignal) => Promise<number>
}

const retries = 5
const firstRetryMs = 50

type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'ticking'; readonly abort: AbortController; timer: Timer | undefined }
  | { readonly name: 'stopped' }

export function createPingSource(source: PingSourceSpec, deps: PingSourceDeps): Component {
  const { metadata, spec } = source
  const { clock, logger, newId, send } = deps
  const cron = parseCron(spec.schedule)
  let phase: Phase = { name: 'idle' }
  let health: ComponentHealth = { status: 'unknown' }

  function tickRequest(): TickRequest {
    return {
      url: spec.sink.uri,
      headers: [
        ['ce-specversion', '1.0'],
        ['ce-id', newId()],
        ['ce-source', `/apis/v1/namespaces/${metadata.namespace}/pingsources/${metadata.name}`],
        ['ce-type', 'dev.knative.sources.ping'],
        ['ce-time', new Date(clock.now()).toISOString()],
        ['content-type', spec.contentType ?? 'application/json'],
      ],
      body: spec.data ?? '{}',
    }
  }

  function schedule(): void {
    if (phase.name !== 'ticking') return
    const now = clock.now()
    const next = cron.next(now)
    if (next === undefined) return
    const { abort } = phase
    phase.timer = clock.after(next - now, () => {
      schedule()
      void tick(tickRequest(), abort.signal)
    })
  }

  async function tick(request: TickRequest, signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const failure = await attempt(request, signal)
      if (signal.aborted) return
      health = {
        status: failure === undefined ? 'up' : 'down',
        at: clock.now(),
        ...(failure === undefined ? {} : { error: failure }),
      }
      if (failure === undefined) return
      if (failures > retries) {
        logger.warn({ source: metadata.name, cause: failure }, 'a tick was lost')
        return
      }
      await clock.sleep(firstRetryMs * 2 ** (failures - 1), signal).catch(() => undefined)
      if (signal.aborted) return
    }
  }

  async function attempt(request: TickRequest, signal: AbortSignal): Promise<string | undefined> {
    try {
      const status = await send(request, signal)
      return status >= 200 && status < 300 ? undefined : `status ${status}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return {
    name: `ping-source ${metadata.name}`,
    health: () => health,
    start: () => {
      phase = { name: 'ticking', abort: new AbortController(), timer: undefined }
      schedule()
      return Promise.resolve()
    },
    stop: () => {
      if (phase.name !== 'ticking') return Promise.resolve()
      phase.timer?.cancel()
      phase.abort.abort(new Error('the PingSource stops'))
      phase = { name: 'stopped' }
      return Promise.resolve()
    },
  }
}
