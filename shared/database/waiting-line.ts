// Who waits for a session while all are lent, first come first served, each for a limited time.
//
// A follower may be served earlier than the session is given back: by a session whose transaction is about to be over. It never
// passes one that came before it, or those who cannot follow would wait for ever.

import type { Clock } from '../time/index.ts'
import { unavailable } from './database-errors.ts'
import type { Session } from './session.ts'

export interface Waiting {
  readonly mayFollow: boolean
  /** One that has given up meanwhile gives it back. */
  readonly take: (session: Session) => void
  readonly fail: (error: unknown) => void
}

export interface WaitingLine {
  /** @throws SluiceError `database_unavailable` when the wait takes too long. */
  join(mayFollow: boolean): Promise<Session>
  next(): Waiting | undefined
  /** The first of the line, when it may follow. */
  nextFollower(): Waiting | undefined
}

/** `limitMs`: longest wait, in milliseconds. */
export function createWaitingLine(limitMs: number, { clock }: { readonly clock: Pick<Clock, 'after'> }): WaitingLine {
  const line: Waiting[] = []
  return {
    join: (mayFollow) =>
      new Promise((resolve, reject) => {
        let gaveUp = false
        const timer = clock.after(limitMs, () => {
          gaveUp = true
          const at = line.indexOf(waiting)
          if (at !== -1) line.splice(at, 1)
          reject(unavailable(new Error('no connection became free in time')))
        })
        const waiting: Waiting = {
          mayFollow,
          take: (session) => {
            timer.cancel()
            if (gaveUp) session.release()
            else resolve(session)
          },
          fail: (error) => {
            timer.cancel()
            reject(error)
          },
        }
        line.push(waiting)
      }),
    next: () => line.shift(),
    nextFollower: () => (line[0]?.mayFollow === true ? line.shift() : undefined),
  }
}
