// Starts components in order, stops them in reverse, and unwinds a start that failed half-way.

import type { Component } from './component.ts'

export interface RunningComponents {
  /** Stops all in reverse order. One that throws does not keep the others from stopping; the first error is thrown at the end. */
  stop(): Promise<void>
}

export async function startComponents(
  components: readonly Component[],
  signal: AbortSignal,
): Promise<RunningComponents> {
  const started: Component[] = []
  const running = { stop: once(() => stopAll(started)) }
  for (const component of components) {
    try {
      signal.throwIfAborted()
      await component.start(signal)
      started.push(component)
    } catch (error) {
      await running.stop().catch(() => undefined) // the reason of the failed start is what matters
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
