// The connections of a process, lent one at a time. Closing waits for all work that has begun, also for work that still waits
// for a connection: pg's own pool forgets those waiting when it is told to end. So nobody waits in pg's pool: it is asked only when
// it has a connection or may open one.
//
// A connection over which nothing came in time is dead, and those as old as it probably died with it, in the same black hole. They
// are not lent any more, so that not each of them costs somebody the whole wait.

import type { Socket } from 'node:net'
import { Pool, type PoolClient } from 'pg'
import { SluiceError } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import type { ConnectionConfig } from './connection.ts'
import { openSession, type Session, type SessionWatch } from './session.ts'
import { createWaitingLine } from './waiting-line.ts'

export interface SessionPoolOptions {
  readonly config: ConnectionConfig
  readonly size: number
  /** The open sockets of the connections, for a close that cannot wait. */
  readonly sockets: ReadonlySet<Socket>
}

export interface SessionPoolDeps {
  readonly clock: Clock
  /** Called when an idle connection broke. */
  readonly onBroken: (error: Error) => void
}

export interface UseOptions {
  /** May `work` begin on a session whose last statement, of somebody else, is not answered yet? Default: no. */
  readonly mayFollow?: boolean | undefined
}

export interface SessionPool {
  /** `work` releases the session. @throws SluiceError `database_unavailable` when there is no connection within the connect timeout. */
  use<T>(work: (session: Session) => Promise<T>, options?: UseOptions): Promise<T>
  /** Is there a connection to be had at once? */
  idle(): boolean
  /** Takes no more work, waits `limitMs` for that under way, then cuts its connections; who waits for one gets none. */
  close(limitMs: number): Promise<void>
}

export function createSessionPool(
  { config, size, sockets }: SessionPoolOptions,
  { clock, onBroken }: SessionPoolDeps,
): SessionPool {
  const { query_timeout: answerMs, connectionTimeoutMillis: connectTimeoutMs } = config
  // Sessions watch their answers themselves. The driver's own watch puts a closure into each query that V8 takes for long-lived:
  // every query would survive, with all that it holds, until the next collection of the whole heap.
  const pool = new Pool({ ...config, query_timeout: 0, max: size, idleTimeoutMillis: 30_000 })
  const underWay = new Set<Promise<unknown>>()
  const begins = new WeakMap<PoolClient, number>()
  let soundSince = Number.NEGATIVE_INFINITY
  const line = createWaitingLine(connectTimeoutMs, { clock })
  let lent = 0
  let closed = false
  const watch: SessionWatch = {
    answerMs,
    clock,
    isSound: (client) => (begins.get(client) ?? 0) >= soundSince,
    onSilence: () => {
      soundSince = clock.monotonic()
    },
    nextFollower: () => line.nextFollower()?.take,
    onReleased: serveNext,
  }

  async function open(): Promise<Session> {
    lent += 1
    try {
      return await openSession(pool, watch)
    } catch (error) {
      serveNext()
      throw error
    }
  }

  function serveNext(): void {
    lent -= 1
    const next = line.next()
    if (next !== undefined) open().then(next.take, next.fail)
  }

  function cut(): void {
    destroyAll(sockets)
    for (let next = line.next(); next !== undefined; next = line.next()) next.fail(stopped())
  }

  pool.on('connect', (client) => {
    begins.set(client, clock.monotonic())
    // Its end may come in the same bytes as its beginning, before a session has it; who uses it then hears of that.
    client.on('error', () => undefined)
  })
  pool.on('error', onBroken) // without a listener this would end the process

  return {
    use: async (work, { mayFollow = false } = {}) => {
      if (closed) throw stopped()
      const running = (lent < size ? open() : line.join(mayFollow)).then(work)
      underWay.add(running)
      try {
        return await running
      } finally {
        underWay.delete(running)
      }
    },
    idle: () => pool.idleCount > pool.waitingCount,
    close: async (limitMs) => {
      closed = true
      const timer = clock.after(limitMs, cut)
      await Promise.allSettled(underWay)
      await pool.end()
      timer.cancel()
      destroyAll(sockets)
    },
  }
}

const stopped = (): SluiceError => new SluiceError('database_unavailable', 'The database handle is stopped')

function destroyAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy()
}
