// Bounds how long one piece of work may take. The caller is answered when the time is up, also by work that does not
// listen to its signal; work that does listen stops.

import { SluiceError, type ErrorCode } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'

export interface TimeoutOptions {
  readonly ms: number
  /** Names the work in the error message. */
  readonly what: string
  /** Code of the error when the time is up. Default `dependency_timeout`. */
  readonly code?: ErrorCode
  /** The caller's own signal; aborting it ends the wait with its reason. */
  readonly signal?: AbortSignal
}

/** @throws SluiceError with `code` when `ms` pass first, or the reason of the caller's signal. */
export async function timeout<T>(
  { ms, what, code = 'dependency_timeout', signal: parent }: TimeoutOptions,
  { clock }: { readonly clock: Clock },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent?.throwIfAborted()
  const expired = new AbortController()
  const signal = parent === undefined ? expired.signal : AbortSignal.any([parent, expired.signal])
  const timer = clock.after(ms, () => expired.abort(new SluiceError(code, `${what} took longer than ${ms} ms`)))
  const over = Promise.withResolvers<never>()
  const onAbort = (): void => over.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(signal), over.promise])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
