// Statements that were begun in one turn of the event loop and travel as one message: each is bound and executed by the extended
// protocol, and one Sync ends them all. The server answers once, so a group costs one write and one answer, not one for each.
//
// SG1  After a failed statement the server skips the rest of the group up to its Sync. The failed one is rejected with its own
//      error and the rest with 25P02, as if the aborted transaction had refused each. What fails after the last answer, at the
//      Sync, where a statement without a transaction of its own is committed, fails all.
// SG2  What a prepared statement answers is described once over a connection. A migration that changes it makes the server refuse
//      the statement, and the connection is given up. Statements that the server does not watch in this way, such as FETCH from
//      whatever cursor has the name now, are described each time.
// SG3  The driver (pg 8.23) takes only its own class of query into its pipeline: a group is one, with steps of its own.

import { Query, type QueryResult, type Submittable } from 'pg'
import type { PreparedStatement } from './queryable.ts'

export interface GroupedStatement {
  /** One statement; the extended protocol takes no more. */
  readonly sql: string | PreparedStatement
  /** Such that the driver writes them without code of their own, which could throw half-way. */
  readonly values: unknown[]
  readonly resolve: (answer: QueryResult) => void
  readonly reject: (error: unknown) => void
}

/** Hand it to `client.query`. Each statement settles by itself; `onEnd` is called when all have. */
export function statementGroup(statements: readonly GroupedStatement[], onEnd: () => void): Submittable {
  const members = statements.map(({ sql, values }) => member(sql, values))
  const group = new Query('') as unknown as DriverQuery
  let at = 0
  let described: Descriptions = new Map()

  const current = (): DriverQuery => members[at] ?? group
  /** The driver notes what is prepared by the name and text of the query that is answered. */
  const show = (): void => {
    group.name = current().name
    group.text = current().text
  }
  const next = (): void => {
    at += 1
    show()
  }
  /** Settling twice does nothing, as promises go. */
  const end = (failure: unknown): void => {
    onEnd()
    for (const [index, { resolve, reject }] of statements.entries()) {
      const answer = members[index]
      if (answer === undefined || index > at) reject(skipped())
      else if (failure !== undefined && (index === at || at === members.length)) reject(failure)
      else if (answer._canceledDueToError !== false) reject(answer._canceledDueToError)
      else resolve(answer._result)
    }
  }

  const steps: Partial<DriverQuery> = {
    callback: (failure) => end(failure ?? undefined),
    submit: (wire) => {
      show()
      const { descriptions, silentWire } = knownOver(wire)
      described = descriptions
      wire.stream.cork()
      // Its preparation may be skipped with the rest of another group, and then it would be missed here.
      for (const one of members) if (isBeingPrepared(one, wire)) one.name = undefined
      for (const one of members) {
        one._result._types = group._result._types
        if (isOfAnotherText(one, wire)) wire.parse(one) // the server says so, and skips the rest
        const known = one.name === undefined ? undefined : described.get(one.name)
        if (known === undefined) one.prepare(wire)
        else {
          if (known !== noRows) one.handleRowDescription(known)
          one.prepare(silentWire)
        }
      }
      wire.sync()
      wire.stream.uncork()
      return null
    },
    handleRowDescription: (message) => {
      const { name, text } = current()
      if (name !== undefined && answersTheSame.test(text)) described.set(name, message)
      current().handleRowDescription(message)
    },
    handleDataRow: (message) => current().handleDataRow(message),
    handleCommandComplete: (message, wire) => {
      const { name, text } = current()
      if (name !== undefined && !described.has(name) && answersTheSame.test(text)) described.set(name, noRows)
      current().handleCommandComplete(message, wire)
      next()
    },
    handleEmptyQuery: next,
    handleReadyForQuery: () => group.callback(undefined),
    handleError: (failure, wire) => {
      for (const { name } of members.slice(at)) if (name !== undefined) delete wire.submittedNamedStatements[name]
      group.callback(failure)
    },
  }
  return Object.assign(group, steps) as unknown as Submittable
}

function member(sql: string | PreparedStatement, values: unknown[]): DriverQuery {
  const { name, text } = typeof sql === 'string' ? { text: sql } : sql
  const query = new Query(text, values) as unknown as DriverQuery // an object of options would be copied, property by property
  query.name = name
  query._getRows = executeOnly
  return query
}

/** By the name of the statement: how the server described its rows, or that it has none. */
type Descriptions = Map<string, unknown>

const noRows = Symbol('no rows')

/** The server refuses these rather than answer with other columns than before, or they have none. */
const answersTheSame = /^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|VALUES|WITH|BEGIN|COMMIT|SAVEPOINT)\b/i

interface Known {
  readonly descriptions: Descriptions
  /** The same wire, over which nothing is asked to be described. */
  readonly silentWire: Wire
}

const connections = new WeakMap<Wire, Known>()

function knownOver(wire: Wire): Known {
  const known = connections.get(wire) ?? {
    descriptions: new Map(),
    silentWire: Object.create(wire, { describe: { value: () => undefined } }) as Wire,
  }
  connections.set(wire, known)
  return known
}

/** The driver asks only whether the name is known. */
const isOfAnotherText = ({ name, text }: DriverQuery, wire: Wire): boolean => {
  if (name === undefined) return false
  return (wire.parsedStatements[name] ?? wire.submittedNamedStatements[name] ?? text) !== text
}

const isBeingPrepared = ({ name }: DriverQuery, wire: Wire): boolean =>
  name !== undefined && wire.submittedNamedStatements[name] !== undefined

/** All rows, and no Sync of its own. */
const executeOnly = (wire: Wire): void => wire.execute({ portal: '' })

const skipped = (): Error =>
  Object.assign(new Error('current transaction is aborted, commands ignored until end of transaction block'), {
    severity: 'ERROR',
    code: '25P02',
  })

/** What the driver's connection has for its queries. */
interface Wire {
  readonly parsedStatements: Readonly<Record<string, string>>
  readonly submittedNamedStatements: Record<string, string>
  readonly stream: { cork(): void; uncork(): void }
  parse(statement: { readonly name: string | undefined; readonly text: string }): void
  execute(portal: { readonly portal: string }): void
  sync(): void
}

/** What the driver and its queries expect of each other. */
interface DriverQuery {
  name: string | undefined
  text: string
  readonly _result: QueryResult & { _types: unknown }
  /** What parsing a row threw; false: nothing. */
  readonly _canceledDueToError: unknown
  callback: (failure?: unknown) => void
  prepare: (wire: Wire) => void
  submit: (wire: Wire) => null
  _getRows: (wire: Wire) => void
  handleRowDescription: (message: unknown) => void
  handleDataRow: (message: unknown) => void
  handleCommandComplete: (message: unknown, wire: Wire) => void
  handleEmptyQuery: () => void
  handleReadyForQuery: () => void
  handleError: (failure: unknown, wire: Wire) => void
}
