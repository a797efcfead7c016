// Tells readers and listeners that a topic may have grown. A wake that comes between a reader's look and its wait is not
// missed: the reader takes the count before it looks, and waits only while the count is the same.

import type { Logger } from '../telemetry/index.ts'
import { messageOf } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'

export interface Wakes {
  wake(topic: string): void
  count(topic: string): number
  /** Resolves when the topic's count is no longer `seen`, or after `ms`; rejects with the reason of `signal` when it aborts. */
  wait(
    options: { readonly topic: string; readonly seen: number; readonly ms: number },
    signal: AbortSignal,
  ): Promise<void>
  onWake(listener: (topic: string) => void): { stop(): void }
}

export function createWakes({ clock, log }: { readonly clock: Clock; readonly log: Logger }): Wakes {
  const counts = new Map<string, number>()
  const waiters = new Map<string, Set<() => void>>()
  const listeners = new Set<(topic: string) => void>()

  function wake(topic: string): void {
    counts.set(topic, (counts.get(topic) ?? 0) + 1)
    for (const waiter of waiters.get(topic) ?? []) waiter()
    for (const listener of listeners) {
      try {
        listener(topic)
      } catch (error) {
        log.error({ topic, reason: messageOf(error) }, 'a listener of the event log failed')
      }
    }
  }

  return {
    wake,
    count: (topic) => counts.get(topic) ?? 0,
    wait: async ({ topic, seen, ms }, signal) => {
      if ((counts.get(topic) ?? 0) !== seen) return
      const woken = new AbortController()
      const waiter = (): void => woken.abort()
      const ofTopic = waiters.get(topic) ?? new Set()
      waiters.set(topic, ofTopic.add(waiter))
      try {
        await clock.sleep(ms, AbortSignal.any([signal, woken.signal]))
      } catch (error) {
        if (!woken.signal.aborted) throw error
      } finally {
        ofTopic.delete(waiter)
      }
    },
    onWake: (listener) => {
      const own = (topic: string): void => listener(topic)
      listeners.add(own)
      return { stop: () => void listeners.delete(own) }
    },
  }
}
