// A point in time that work must not pass, handed down every hop as remaining milliseconds and as a signal.

import { SluiceError } from '../errors/index.ts'
import type { Clock } from './clock.ts'

export interface Deadline {
  /** Milliseconds left; 0 when passed. */
  remainingMs(): number
  /** Aborts with `deadline_exceeded` when the deadline passes, and when the parent signal aborts. */
  readonly signal: AbortSignal
  /** Forgets the timer and the parent. Call it when the work ended, or the timer keeps the process alive. */
  cancel(): void
}

export interface DeadlineOptions {
  readonly ms: number
  /** Names the work in the error message. */
  readonly what: string
  readonly parent?: AbortSignal
}

export function createDeadline({ ms, what, parent }: DeadlineOptions, { clock }: { readonly clock: Clock }): Deadline {
  const end = clock.monotonic() + ms
  const ended = new AbortController()
  const timer = clock.after(ms, () =>
    ended.abort(new SluiceError('deadline_exceeded', `${what} took longer than ${ms} ms`)),
  )
  // By hand: a deadline is made for every event, and AbortSignal.any() leaves weak references for the collector to clear.
  const endWithParent = (): void => ended.abort(parent?.reason)
  if (parent?.aborted === true) endWithParent()
  else parent?.addEventListener('abort', endWithParent, { once: true })
  return {
    remainingMs: () => Math.max(0, end - clock.monotonic()),
    signal: ended.signal,
    cancel: () => {
      timer.cancel()
      parent?.removeEventListener('abort', endWithParent)
    },
  }
}
