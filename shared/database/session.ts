// One pooled connection in the hands of one user, or of one whose last statement is under way and its follower. It knows whether
// it is lost, so that the pool never gets a broken connection back and the user never takes a lost answer for a success.

import type { Socket } from 'node:net'
import type { Pool, PoolClient, QueryConfig } from 'pg'
import { SluiceError, sqlState } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import { databaseError, endsSession, unavailable } from './database-errors.ts'
import type { PreparedStatement, QueryAnswer } from './queryable.ts'
import { createStatementPipeline } from './statement-pipeline.ts'

export interface TaggedAnswer<R> extends QueryAnswer<R> {
  /** The tag the server answered with, such as COMMIT. */
  readonly command: string
}

export interface Session {
  query<R extends object>(sql: string | PreparedStatement, values?: readonly unknown[]): Promise<TaggedAnswer<R>>
  /** Would the server skip this statement, asked for now, if the one before it failed? */
  travelsWithLast(sql: string | PreparedStatement, values: readonly unknown[]): boolean
  /** Asks whether anybody is there, with a time limit of its own. */
  ping(limitMs: number): Promise<void>
  /** What ended the connection, once it has ended. */
  lost(): unknown
  /**
   * Lends the session to a follower, if there is one, while the last statement of its user is under way: what the follower
   * sends first leaves with it, behind a Sync of its own. The user sends nothing more. False: there is no follower.
   */
  passOn(): boolean
  /** Gives the connection back when all who had it did so, or destroys it when it is lost or was `broken` for one of them. */
  release(broken?: boolean): void
}

export interface SessionWatch {
  /** Longest wait for an answer, in milliseconds; then the connection is cut. */
  readonly answerMs: number
  readonly clock: Pick<Clock, 'after'>
  /** May the connection be lent? One that may not is closed. */
  readonly isSound: (client: PoolClient) => boolean
  /** The server has not answered in time over a connection. */
  readonly onSilence: () => void
  /** Takes the one out of the line that may have a session before it is given back. */
  readonly nextFollower: () => ((session: Session) => void) | undefined
  readonly onReleased: () => void
}

/** @throws SluiceError `database_unavailable` when no connection is to be had within the connect timeout. */
export async function openSession(pool: Pool, watch: SessionWatch): Promise<Session> {
  const { answerMs, clock, isSound, onSilence } = watch
  const client = await soundClient(pool, isSound).catch((error: unknown) => {
    throw unavailable(error)
  })
  let lost: unknown
  // What breaks the connection while nothing is asked over it, such as its end by the server, is told only here.
  const onError = (error: unknown): void => {
    lost ??= error
  }
  client.on('error', onError)
  const seen = (error: unknown): unknown => {
    if (isSilence(error)) onSilence()
    if (endsSession(error) || isConnectionError(error) || isStalePlan(error)) lost ??= error
    return databaseError(lost ?? error, lost !== undefined)
  }
  let users = 1
  let spoiled = false
  const stream = streamOf(client)
  const giveUp = (): void => {
    lost ??= silence()
    onSilence()
    stream.destroy() // the driver rejects what waits for an answer
  }
  const pipeline = createStatementPipeline({ answerMs }, { client, stream, clock, onSilence: giveUp })
  const session: Session = {
    query: async <R extends object>(
      sql: string | PreparedStatement,
      values: readonly unknown[] = [],
    ): Promise<TaggedAnswer<R>> => {
      try {
        const { rows, rowCount, command } = await pipeline.send(sql, values)
        return { rows: rows as R[], rowCount: rowCount ?? 0, command }
      } catch (error) {
        throw seen(error)
      }
    },
    travelsWithLast: pipeline.travelsWithLast,
    ping: async (limitMs) => {
      try {
        await client.query({ text: 'SELECT 1', query_timeout: limitMs } as QueryConfig)
      } catch (error) {
        throw seen(error)
      }
    },
    lost: () => lost,
    passOn: () => {
      const follow = lost === undefined && isSound(client) ? watch.nextFollower() : undefined
      if (follow === undefined) return false
      users += 1
      pipeline.cut()
      follow(session)
      return true
    },
    release: (broken = false) => {
      spoiled ||= broken
      users -= 1
      if (users > 0) return
      client.off('error', onError)
      client.release(spoiled || lost !== undefined)
      watch.onReleased()
    },
  }
  return session
}

async function soundClient(pool: Pool, isSound: SessionWatch['isSound']): Promise<PoolClient> {
  for (;;) {
    const client = await pool.connect()
    if (isSound(client)) return client
    client.release(true)
  }
}

// A migration changed what a prepared statement answers, or something between us and the server lost it: a new connection
// prepares it anew.
const isStalePlan = (error: unknown): boolean =>
  error instanceof Error && (sqlState(error) === '26000' || error.message === 'cached plan must not change result type')

// The driver has no codes for these. Compared with pg 8.23; test/shared/database/outage.test.ts would see a change.
const driverMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/

/** Of an error that a session threw: did the server not answer in time? */
export const wasSilent = (error: unknown): boolean => error instanceof SluiceError && isSilence(error.cause)

const silences = /^(Query read timeout|Connection terminated due to connection timeout)/

const isSilence = (error: unknown): boolean => error instanceof Error && silences.test(error.message)

/** As the driver has it for what it watches itself. */
const silence = (): Error => new Error('Query read timeout')

const streamOf = (client: PoolClient): Socket =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && (driverMessages.test(error.message) || ('syscall' in error && 'errno' in error))
