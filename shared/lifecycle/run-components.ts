// Starts components in order, stops them in reverse, and unwinds a start that failed half-way.
//
// C1  One that throws on stop, or does not end in its time, does not keep the others from stopping.
// C2  stop() runs once, however often it is called.

import { SluiceError } from '../errors/index.ts'
import { systemClock, type Clock } from '../time/index.ts'
import type { Component } from './component.ts'

export interface StopOptions {
  /** Longest stop of one component, in milliseconds; then it is left behind. Default 5,000. */
  readonly eachMs?: number
}

export interface RunningComponents {
  /** Stops all in reverse order. The first error is thrown at the end. */
  stop(options?: StopOptions): Promise<void>
}

export interface StartOptions {
  /** Longest stop of one component when a start that failed is unwound: the reason must reach a person even then. */
  readonly unwindEachMs?: number
  readonly clock?: Clock
}

const defaultStopMs = 5_000

export async function startComponents(
  components: readonly Component[],
  signal: AbortSignal,
  { unwindEachMs = defaultStopMs, clock = systemClock }: StartOptions = {},
): Promise<RunningComponents> {
  const started: Component[] = []
  let stopped: Promise<void> | undefined
  const running: RunningComponents = {
    stop: ({ eachMs = defaultStopMs } = {}) => (stopped ??= stopAll(started, eachMs, clock)),
  }
  for (const component of components) {
    try {
      signal.throwIfAborted()
      await component.start(signal)
      started.push(component)
    } catch (error) {
      await running.stop({ eachMs: unwindEachMs }).catch(() => undefined) // the reason of the failed start is what matters
      throw error
    }
  }
  return running
}

async function stopAll(started: readonly Component[], eachMs: number, clock: Clock): Promise<void> {
  const errors: unknown[] = []
  for (const component of started.toReversed()) {
    try {
      await stopWithin(component, eachMs, clock)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

function stopWithin(component: Component, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      reject(new SluiceError('deadline_exceeded', `${component.name} did not stop within ${Math.round(ms)} ms`))
    })
    const stopping = (async () => component.stop())()
    void stopping.then(resolve, reject).finally(() => timer.cancel())
  })
}
