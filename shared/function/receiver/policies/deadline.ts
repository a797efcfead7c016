// A policy: bounds how long the rest of the pipeline may take, waiting for a place included, and answers even when a
// handler never settles. What still runs hears it through the signal.

import { SluiceError } from '../../../errors/index.ts'
import type { Policy } from '../pipeline.ts'
import type { Reception } from '../reception.ts'
import { errorReply, type Reply } from '../reply.ts'

export interface DeadlineOptions {
  /** Longest time from the decoded event to its answer, in milliseconds. For a source's request below its delivery.timeout. */
  readonly ms: number | ((reception: Reception) => number)
}

export const deadline =
  ({ ms: limit }: DeadlineOptions): Policy =>
  ({ clock }, next) =>
  (incoming, reception) => {
    const ms = typeof limit === 'number' ? limit : limit(reception)
    reception.deadlineAtMs = clock.monotonic() + ms
    const result = next(incoming, reception)
    if (!(result instanceof Promise)) return result
    return new Promise<Reply>((resolve, reject) => {
      const timer = clock.after(ms, () => {
        reception.abort(new SluiceError('deadline_exceeded', `event ${incoming.event.id} took longer than ${ms} ms`))
        // 503 and not 504: the source comes again, and the inbox absorbs what the first try still did.
        resolve(errorReply('deadline_exceeded', 'failed', { status: 503, retryAfterS: 1 }))
      })
      const answered = (reply: Reply): void => {
        timer.cancel() // an answered request must not keep the process alive
        resolve(reply)
      }
      const failed = (error: unknown): void => {
        timer.cancel()
        reject(error)
      }
      void result.then(answered, failed)
    })
  }
