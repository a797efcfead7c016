// A loop that works when woken and at the latest when its tick, or the time its last pass asked for, has come.
//
// L1  A wake during a pass causes another pass: nothing that was true before the wake is missed.
// L2  stop() waits for the pass under way, whose signal is aborted.

import type { Clock } from '../time/index.ts'

export interface Loop {
  start(): void
  wake(): void
  stop(): Promise<void>
}

/** One pass. Returns after how many milliseconds the next one is due, when that is sooner than the tick. Must not throw. */
export type Pass = (signal: AbortSignal) => Promise<number | undefined>

export function createLoop(
  { tickMs }: { readonly tickMs: number },
  { clock }: { readonly clock: Clock },
  pass: Pass,
): Loop {
  const stopping = new AbortController()
  let woken = false
  let paused: { readonly interrupt: () => void } | undefined
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = false
      const dueMs = await pass(stopping.signal)
      if (!woken && !stopping.signal.aborted) await pause(Math.min(tickMs, dueMs ?? tickMs))
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve)
      const interrupt = (): void => {
        timer.cancel()
        resolve()
      }
      paused = { interrupt }
    })
  }

  const wake = (): void => {
    woken = true
    paused?.interrupt()
  }

  return {
    start: () => {
      running ??= run()
    },
    wake,
    stop: async () => {
      stopping.abort()
      wake()
      await running
    },
  }
}
