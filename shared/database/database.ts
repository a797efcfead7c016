// The one way to Postgres of a process: a pool whose connections all carry the limits, transactions, LISTEN and NOTIFY.
// It survives any outage of the server: calls fail with `database_unavailable`, later calls find new connections.
//
// D1  A server that stands still – it answers a question neither over an old connection nor over a new one – is waited for by
//     the calls under way and by the look that is taken every second. Everybody else is told at once.
// D2  Whether the server answers is asked over a connection of its own while all others are lent: a process that is busy with its
//     own work is not one without a database, and must not call itself unready. A new connection that is not made in time is
//     as good as a question without an answer, unless others are answered meanwhile.

import type { Socket } from 'node:net'
import { messageOf, SluiceError, sqlState } from '../errors/index.ts'
import type { ComponentHealth } from '../lifecycle/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { backoffDelay, type Clock } from '../time/index.ts'
import { connectionConfig, type ConnectionOptions } from './connection.ts'
import { unavailable } from './database-errors.ts'
import { createChannelListener } from './listener.ts'
import { createNotifier } from './notifier.ts'
import type { Database, Queryable } from './queryable.ts'
import { wasSilent, type Session } from './session.ts'
import { createSessionPool, type SessionPool, type UseOptions } from './session-pool.ts'
import { runTransaction } from './transaction.ts'

export interface DatabaseOptions extends Omit<ConnectionOptions, 'connectTimeoutMs' | 'idleInTransactionTimeoutMs'> {
  /** Connections of the pool; one more is used when something listens, and one for probes while all are lent. */
  readonly poolSize: number
  /** Default 5,000. */
  readonly connectTimeoutMs?: number
  /** Default `idleInTransactionMs`. */
  readonly idleInTransactionTimeoutMs?: number
  /** How long start() keeps trying, in milliseconds. Default 30,000. */
  readonly startTimeoutMs?: number
  /** How long stop() waits for work under way before it closes the sockets, in milliseconds. Default 5,000. */
  readonly stopTimeoutMs?: number
}

export interface DatabaseDeps {
  readonly log: Logger
  readonly clock: Clock
}

/** A transaction whose connection died holds its locks for so long, in milliseconds. */
export const idleInTransactionMs = 10_000
const probeEveryMs = 5_000
const probeSilentEveryMs = 1_000
/** A server that does not answer this question for so long is not there. */
const pingLimitMs = 3_000
const lateMs = 500
const startBackoff = { firstMs: 100, maxMs: 2_000 }

export function createDatabase(options: DatabaseOptions, { log, clock }: DatabaseDeps): Database {
  const {
    poolSize,
    connectTimeoutMs = 5_000,
    idleInTransactionTimeoutMs = idleInTransactionMs,
    startTimeoutMs = 30_000,
    stopTimeoutMs = 5_000,
  } = options
  const sockets = new Set<Socket>()
  const config = connectionConfig({ ...options, connectTimeoutMs, idleInTransactionTimeoutMs }, sockets)
  const pool = createSessionPool({ config, size: poolSize, sockets }, { clock, onBroken: noteFailure })
  const spareConfig = { ...config, connectionTimeoutMillis: Math.min(connectTimeoutMs, pingLimitMs) }
  const spare = createSessionPool({ config: spareConfig, size: 1, sockets }, { clock, onBroken: () => undefined })
  const listener = createChannelListener({ config, connectTimeoutMs }, { clock, log })
  let health: ComponentHealth = { status: 'unknown' }
  let freshUntil = 0
  let answeredAt = Number.NEGATIVE_INFINITY
  let standsStill = false
  let asking: Promise<void> | undefined
  let probing = { cancel: (): void => undefined }
  let stopped: Promise<void> | undefined

  function noteSuccess(): void {
    if (health.status === 'down') log.info('the database answers again')
    health = { status: 'up', at: clock.now() }
    answeredAt = clock.monotonic()
    freshUntil = answeredAt + probeEveryMs
    standsStill = false
  }

  function noteFailure(error: unknown): void {
    if (health.status === 'up') log.warn({ reason: messageOf(error) }, 'the database does not answer')
    const code = error instanceof SluiceError ? error.code : 'database_unavailable'
    health = { status: 'down', at: clock.now(), error: code }
  }

  /** Every use of a connection passes here, so health follows what callers see. */
  async function withSession<T>(
    work: (session: Session) => Promise<T>,
    { from = pool, ...options }: UseOptions & { readonly from?: SessionPool } = {},
  ): Promise<T> {
    try {
      const result = await from.use(work, options)
      noteSuccess()
      return result
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'database_unavailable') noteFailure(error)
      throw error
    }
  }

  async function withLiveSession<T>(work: (session: Session) => Promise<T>, options?: UseOptions): Promise<T> {
    if (standsStill) throw unavailable(new Error('it said nothing when it was asked last'))
    return withSession(work, options)
  }

  const query: Queryable['query'] = (sql, values) =>
    withLiveSession(async (session) => {
      try {
        const { rows, rowCount } = await session.query(sql, values)
        return { rows, rowCount } as never
      } finally {
        session.release()
      }
    })

  const pingOnce = (): Promise<void> =>
    withSession(
      async (session) => {
        try {
          await session.ping(pingLimitMs)
        } finally {
          session.release()
        }
      },
      { from: pool.idle() ? pool : spare },
    )

  const ping = (): Promise<void> => (asking ??= pingTwice().finally(() => (asking = undefined)))

  async function pingTwice(): Promise<void> {
    const begun = clock.monotonic()
    try {
      await pingOnce()
    } catch (error) {
      // When the time-out itself came late, this process stood still, and the answer may be there.
      const wasLate = clock.monotonic() - begun > pingLimitMs + lateMs
      if (wasLate || !wasSilent(error)) throw error
      await pingOnce().catch((again: unknown) => {
        standsStill = answeredAt < begun // and not just the connection that was asked first
        throw again
      })
    }
  }

  const notify = createNotifier({ query })

  /** Keeps health fresh while nobody asks, so that a process taken out of traffic notices when it may come back. */
  function scheduleProbe(): void {
    probing = clock.after(standsStill ? probeSilentEveryMs : probeEveryMs, () => void probe(), { unref: true })
  }

  async function probe(): Promise<void> {
    const fresh = health.status === 'up' && clock.monotonic() < freshUntil
    if (!fresh) await ping().catch(() => undefined) // the failure is in health
    if (stopped === undefined) scheduleProbe()
  }

  async function connect(signal: AbortSignal): Promise<void> {
    const deadline = clock.monotonic() + startTimeoutMs
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted()
      try {
        await query('SELECT 1')
        return
      } catch (error) {
        if (clock.monotonic() >= deadline || refusesUs(error)) throw error
        await clock.sleep(backoffDelay(startBackoff, failures, Math.random), signal)
      }
    }
  }

  async function close(): Promise<void> {
    probing.cancel()
    const closed = pool.close(stopTimeoutMs) // its limit covers all sockets, also the listener's and the spare one
    await listener.stop()
    await closed
    await spare.close(0)
    health = { status: 'unknown', at: clock.now() }
  }

  const stop = (): Promise<void> => (stopped ??= close())

  return {
    name: 'database',
    start: async (signal) => {
      try {
        await connect(signal)
        scheduleProbe()
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
    health: () => health,
    probe: ping,
    query,
    transaction: (work, { mayFollow, ...limits } = {}) =>
      withLiveSession((session) => runTransaction(session, work, limits), { mayFollow }),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    notify,
  }
}

/** Class 28 (credentials) and 3D (no such database): trying again helps nobody. */
const refusesUs = (error: unknown): boolean => error instanceof Error && /^(28|3D)/.test(sqlState(error.cause) ?? '')
