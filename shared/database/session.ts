// One pooled connection in the hands of one user, or of one whose last statement is under way and its follower. It knows whether
// it is lost, so that the pool never gets a broken connection back and the user never takes a lost answer for a success.

import type { Socket } from 'node:net'
import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { SluiceError, sqlState } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import { databaseError, endsSession, unavailable } from './database-errors.ts'
import type { PreparedStatement, QueryAnswer } from './queryable.ts'
import { statementGroup, type GroupedStatement } from './statement-group.ts'

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
  // Without this listener a connection that breaks while in use would end the process ('error' without a listener throws).
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
  let groups: GroupedStatement[][] = [] // that have not left
  let isCut = false
  const giveUp = (): void => {
    lost ??= silence()
    onSilence()
    streamOf(client).destroy() // the driver rejects what waits for an answer
  }
  const sendGathered = (): void => {
    const gathered = groups
    groups = []
    if (gathered.length > 1) streamOf(client).cork() // one write
    for (const statements of gathered) {
      const timer = clock.after(answerMs, giveUp)
      client.query(statementGroup(statements, timer.cancel))
    }
    if (gathered.length > 1) streamOf(client).uncork()
  }
  const gather = (sql: string | PreparedStatement, values: readonly unknown[]): Promise<QueryResult> =>
    new Promise((resolve, reject) => {
      if (groups.length === 0) process.nextTick(sendGathered) // after all that is ready to go on now
      if (groups.length === 0 || isCut) groups.push([])
      isCut = false
      groups.at(-1)?.push({ sql, values: values.map(asOfNow), resolve, reject })
    })
  const sendAlone = async (sql: string | PreparedStatement, values: readonly unknown[]): Promise<QueryResult> => {
    sendGathered() // statements run in call order
    const statement = typeof sql === 'string' ? { text: sql } : sql
    const config = { ...statement, values: [...values], query_timeout: answerMs }
    const answer: QueryResult | QueryResult[] = await client.query(config)
    return Array.isArray(answer) ? lastOf(answer) : answer // several statements, several answers
  }
  const session: Session = {
    query: async <R extends object>(
      sql: string | PreparedStatement,
      values: readonly unknown[] = [],
    ): Promise<TaggedAnswer<R>> => {
      try {
        const { rows, rowCount, command } = await (isGroupable(sql, values) ? gather : sendAlone)(sql, values)
        return { rows: rows as R[], rowCount: rowCount ?? 0, command }
      } catch (error) {
        throw seen(error)
      }
    },
    travelsWithLast: (sql, values) => groups.length > 0 && isGroupable(sql, values),
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
      isCut = true
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

/** A text without values may be several statements, which only the simple protocol takes. */
const isGroupable = (sql: string | PreparedStatement, values: readonly unknown[]): boolean =>
  (typeof sql !== 'string' || values.length > 0) && values.every(isPlain)

/** The driver writes these without code of the value's own, which could throw. */
export const isPlain = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  Buffer.isBuffer(value) ||
  (Array.isArray(value) && value.every(isPlain))

/** The caller may use its list again before the group leaves. Buffers are not copied. */
export const asOfNow = (value: unknown): unknown => (Array.isArray(value) ? value.map(asOfNow) : value)

async function soundClient(pool: Pool, isSound: SessionWatch['isSound']): Promise<PoolClient> {
  for (;;) {
    const client = await pool.connect()
    if (isSound(client)) return client
    client.release(true)
  }
}

function lastOf<T>(answers: readonly T[]): T {
  const last = answers.at(-1)
  if (last === undefined) throw new SluiceError('internal', 'The driver gave an empty list of answers')
  return last
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
