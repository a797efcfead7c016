// Bounds a run, also of a handler that never looks at its signal: when time is up the run is over, whatever the handler does.

import type { Clock } from '../../time/index.ts'
import { createDeadline } from '../../time/index.ts'

export interface TimeLimit {
  readonly ms: number
  /** Names the work in the error. */
  readonly what: string
  /** Ends the run earlier. */
  readonly parent: AbortSignal
}

/** @throws the reason of the signal when it aborts first: `deadline_exceeded`, or what the parent was aborted with. */
export async function withinTimeLimit<T>(
  { ms, what, parent }: TimeLimit,
  { clock }: { readonly clock: Clock },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = createDeadline({ ms, what, parent }, { clock })
  const { signal } = deadline
  const ended = Promise.withResolvers<T>()
  const onAbort = (): void => ended.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    // A handler that loses the race may still reject; the promise is settled then and swallows it.
    callLater(() => work(signal)).then(ended.resolve, ended.reject)
    return await ended.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    deadline.cancel()
  }
}

/** What `work` throws before its first await is a rejection too. */
const callLater = async <T>(work: () => Promise<T>): Promise<T> => work()
