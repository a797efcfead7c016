// How statements leave over one connection: those asked for in one turn of the event loop gather, and leave together when it ends.
//
// SP1  Statements run in call order: what cannot travel in a group makes those leave first that have gathered.
// SP2  What gathered before and after a cut leaves by one write, but in groups of their own, each with its own Sync: neither is
//      skipped because a statement of the other failed.

import type { Socket } from 'node:net'
import type { PoolClient, QueryResult } from 'pg'
import { SluiceError } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import type { PreparedStatement } from './queryable.ts'
import { statementGroup, type GroupedStatement } from './statement-group.ts'

export interface StatementPipelineOptions {
  /** Longest wait for an answer, in milliseconds. */
  readonly answerMs: number
}

export interface StatementPipelineDeps {
  readonly client: PoolClient
  /** That of the client. */
  readonly stream: Pick<Socket, 'cork' | 'uncork'>
  readonly clock: Pick<Clock, 'after'>
  /** A group was not answered in time. Its statements wait on, until the stream is destroyed. */
  readonly onSilence: () => void
}

export interface StatementPipeline {
  /** Rejects with what the driver or the server said. */
  send(sql: string | PreparedStatement, values: readonly unknown[]): Promise<QueryResult>
  /** Would the server skip this statement, asked for now, if the one before it failed? */
  travelsWithLast(sql: string | PreparedStatement, values: readonly unknown[]): boolean
  /** What is asked for from now on is in another group than what was asked for before. */
  cut(): void
}

export function createStatementPipeline(
  { answerMs }: StatementPipelineOptions,
  { client, stream, clock, onSilence }: StatementPipelineDeps,
): StatementPipeline {
  let groups: GroupedStatement[][] = [] // that have not left
  let isCut = false

  function sendGathered(): void {
    const gathered = groups
    groups = []
    if (gathered.length > 1) stream.cork() // one write
    for (const statements of gathered) {
      const timer = clock.after(answerMs, onSilence)
      client.query(statementGroup(statements, timer.cancel))
    }
    if (gathered.length > 1) stream.uncork()
  }

  const gather = (sql: string | PreparedStatement, values: readonly unknown[]): Promise<QueryResult> =>
    new Promise((resolve, reject) => {
      if (groups.length === 0) process.nextTick(sendGathered) // after all that is ready to go on now
      if (groups.length === 0 || isCut) groups.push([])
      isCut = false
      groups.at(-1)?.push({ sql, values: values.map(asOfNow), resolve, reject })
    })

  async function sendAlone(sql: string | PreparedStatement, values: readonly unknown[]): Promise<QueryResult> {
    sendGathered()
    const statement = typeof sql === 'string' ? { text: sql } : sql
    const config = { ...statement, values: [...values], query_timeout: answerMs }
    const answer: QueryResult | QueryResult[] = await client.query(config)
    return Array.isArray(answer) ? lastOf(answer) : answer // several statements, several answers
  }

  return {
    send: (sql, values) => (isGroupable(sql, values) ? gather : sendAlone)(sql, values),
    travelsWithLast: (sql, values) => groups.length > 0 && isGroupable(sql, values),
    cut: () => {
      isCut = true
    },
  }
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

function lastOf<T>(answers: readonly T[]): T {
  const last = answers.at(-1)
  if (last === undefined) throw new SluiceError('internal', 'The driver gave an empty list of answers')
  return last
}
