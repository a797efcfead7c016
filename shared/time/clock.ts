// Time as an argument. Everything that waits or stamps takes a Clock, so tests decide what time it is.
// Leases and limits use monotonic time or the database's clock; the wall clock is only for display and records.

export interface Timer {
  /** Forgets the timer. Safe to call twice and after it fired. */
  cancel(): void
}

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  monotonic(): number
  /** Calls `callback` once, `ms` milliseconds from now. The timer does not keep the process alive when `unref` is set. */
  after(ms: number, callback: () => void, options?: { readonly unref?: boolean }): Timer
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback, { unref = false } = {}) => {
    const timer = setTimeout(callback, ms)
    if (unref) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

/** `Clock.sleep` in terms of `Clock.after`, for every implementation of Clock. */
export function sleepOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
