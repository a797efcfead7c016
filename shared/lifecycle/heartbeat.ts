// The pulse of the process, beaten by the event loop itself. No second thread watches: while the loop is blocked it answers
// nobody, and a prober counts that for itself; a thread that answered for it would say alive of a process that is not, and cost
// every start its time.
//
// H1  `worker_last_heartbeat_timestamp` moves only after a turn of the loop in which `alive` held too, so it stands still when
//     either is stuck. The alert looks at it.
// H2  After the loop was blocked for longer than `blockedMs`, `blocked()` stays true for as long again. A process that was
//     blocked once is well before a prober with patience ends it; one that is blocked again and again never looks well.

import { errorLabel } from '../errors/index.ts'
import { createDeadline, type Clock } from '../time/index.ts'
import type { Component, ComponentHealth } from './component.ts'

export interface HeartbeatOptions {
  /** Time between beats, in milliseconds. */
  readonly everyMs: number
  /** Longest turn of the event loop that is taken for life, in milliseconds. */
  readonly blockedMs: number
}

export interface HeartbeatDeps {
  readonly clock: Clock
  readonly gauge: { set(value: number): void }
  /** Rejects when what the process is there for does not move although the loop does. */
  readonly alive: (signal: AbortSignal) => Promise<void>
}

export interface Heartbeat extends Component {
  blocked(): boolean
}

/** Longest wait for `alive`, in milliseconds. */
const aliveMs = 2_000

export function createHeartbeat(
  { everyMs, blockedMs }: HeartbeatOptions,
  { clock, gauge, alive }: HeartbeatDeps,
): Heartbeat {
  let timer = { cancel: (): void => undefined }
  let phase: 'idle' | 'beating' | 'stopped' = 'idle'
  let health: ComponentHealth = { status: 'unknown' }
  let turnedAtMs = 0
  let blockedUntilMs = 0
  let asking = false

  /** The loop turns. Called by the timer, and by whoever asks before the timer got its turn. */
  function turn(): void {
    const now = clock.monotonic()
    if (now - turnedAtMs > everyMs + blockedMs) blockedUntilMs = now + blockedMs
    turnedAtMs = now
  }

  async function beat(): Promise<void> {
    asking = true
    const deadline = createDeadline({ ms: aliveMs, what: 'the receiver' }, { clock })
    const late = Promise.withResolvers<never>()
    deadline.signal.addEventListener('abort', () => late.reject(deadline.signal.reason as Error), { once: true })
    try {
      await Promise.race([alive(deadline.signal), late.promise])
      health = { status: 'up', at: clock.now() }
      gauge.set(clock.now() / 1_000)
    } catch (error) {
      health = { status: 'down', at: clock.now(), error: errorLabel(error) }
    } finally {
      deadline.cancel()
      asking = false
    }
  }

  function tick(): void {
    turn()
    if (!asking) void beat()
    timer = clock.after(everyMs, tick, { unref: true })
  }

  return {
    name: 'heartbeat',
    start: async () => {
      phase = 'beating'
      turnedAtMs = clock.monotonic()
      tick()
    },
    stop: async () => {
      phase = 'stopped'
      timer.cancel()
    },
    health: () => health,
    blocked: () => {
      if (phase !== 'beating') return false
      turn()
      return clock.monotonic() < blockedUntilMs
    },
  }
}
