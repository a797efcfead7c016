// Starts components in order, stops them in reverse, and unwinds a start that failed half-way.

import { systemClock, type Clock } from '../time/index.ts'
import type { Component } from './component.ts'

export interface RunningComponents {
  /** Stops all in reverse order. One that throws does not keep the others from stopping; the first error is thrown at the end. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Longest unwinding of a start that failed, in milliseconds. Default 5,000. The reason must reach a person even then. */
  readonly unwindMs?: number
  readonly clock?: Clock
}

export async function startComponents(
  components: readonly Component[],
  signal: AbortSignal,
  { unwindMs = 5_000, clock = systemClock }: StartOptions = {},
): Promise<RunningComponents> {
  const started: Component[] = []
  const running = { stop: once(() => stopAll(started)) }
  for (const component of components) {
    try {
      signal.throwIfAborted()
      await component.start(signal)
      started.push(component)
    } catch (error) {
      const unwound = running.stop().catch(() => undefined) // the reason of the failed start is what matters
      await Promise.race([unwound, clock.sleep(unwindMs)])
      throw error
    }
  }
  return running
}

async function stopAll(started: readonly Component[]): Promise<void> {
  const errors: unknown[] = []
  for (const component of started.toReversed()) {
    try {
      await component.stop()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}
