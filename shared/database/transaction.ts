// BEGIN, work, COMMIT or ROLLBACK.
//
// T1  Success is reported only after the server answered COMMIT to COMMIT.
// T2  A connection whose transaction could not be ended is destroyed, never pooled.
// T3  What `work` did not await travels with COMMIT: when it fails, the server rolls back, and its error is what the caller hears.
//     The server's word decides: an answer that cannot be read changes nothing about a COMMIT, and nobody waited for it.
// T4  A lost connection is what the caller hears of, even when `work` swallowed it or failed by it in another way.
// T5  Once `work` returned nothing more is sent for it: the connection will be another transaction's, and may be so before the
//     answer to COMMIT. A COMMIT that the server skipped, because a statement that travelled with it failed, leaves the transaction
//     open; then the BEGIN of the next one is refused, with all that travelled with it. Whoever has the connection rolls back,
//     so that one does and begins again.
// T6  Nothing is executed outside the transaction: what does not travel with BEGIN, to be skipped when BEGIN fails, is sent when
//     BEGIN was answered.

import { SluiceError, sqlState } from '../errors/index.ts'
import { databaseError, unavailable } from './database-errors.ts'
import type { PreparedStatement, Transaction, TransactionOptions } from './queryable.ts'
import type { Session } from './session.ts'
import { asOfNow, isPlain } from './statement-pipeline.ts'

type Limits = Omit<TransactionOptions, 'mayFollow'>

export async function runTransaction<T>(
  session: Session,
  work: (tx: Transaction) => Promise<T>,
  options: Limits,
): Promise<T> {
  let end = await beginAndEnd(session, work, options)
  if (!end.ok && end.wasRefused) end = await beginAndEnd(session, work, options)
  session.release(!end.isOver)
  if (end.ok) return end.result
  throw end.error
}

/** `isOver`: the connection is in no transaction, or in that of its next user. */
type End<T> =
  | { readonly ok: true; readonly isOver: true; readonly result: T }
  | { readonly ok: false; readonly isOver: boolean; readonly wasRefused: boolean; readonly error: unknown }

async function beginAndEnd<T>(
  session: Session,
  work: (tx: Transaction) => Promise<T>,
  options: Limits,
): Promise<End<T>> {
  const underWay: UnderWay = new Map()
  let isOver = false
  const begun = session.query(beginStatement(options)) // travels with the first statement of the work
  const { tx, close, end, isBegun } = transactionOn(session, { begun, underWay })
  try {
    const result = await work(tx)
    close()
    await allAnswered([...underWay].filter(([, { mayStayUnsent }]) => mayStayUnsent).map(([answer]) => answer))
    const before = allAnswered([begun, ...underWay.keys()])
    before.catch(() => undefined) // asked when COMMIT does not succeed: what failed before it is the reason
    end()
    const ending = session.query(commit)
    isOver = isBegun() && session.passOn()
    const { command } = await ending.catch(async (error: unknown) => {
      await before
      throw error
    })
    isOver = true
    await begun // COMMIT is answered in the same way where nothing was begun
    if (command !== 'COMMIT') {
      await before
      throw new SluiceError(
        'handler_failed',
        'The transaction was rolled back: the error of one of its statements was swallowed; put the statement behind a savepoint',
      )
    }
    return { ok: true, isOver, result }
  } catch (error) {
    end()
    const lost = session.lost()
    if (lost === undefined && !isOver) isOver = await rolledBack(session)
    const refusal = await begun.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    const wasRefused = lost === undefined && sqlState(refusal) === inFailedTransaction
    if (wasRefused && !isOver) return { ok: false, isOver, wasRefused: false, error: unavailable(session.lost()) }
    return { ok: false, isOver, wasRefused, error: lost === undefined ? (refusal ?? error) : lossOf(lost, refusal) }
  }
}

/** Statements run in call order, so the first that failed is the reason why those behind it did. */
async function allAnswered(answers: readonly Promise<unknown>[]): Promise<void> {
  for (const answer of await Promise.allSettled(answers)) if (answer.status === 'rejected') throw answer.reason
}

/** What ended the connection before BEGIN was answered is no doing of this transaction. */
const lossOf = (lost: unknown, refusal: unknown): unknown =>
  refusal === undefined ? databaseError(lost, true) : unavailable(lost)

/** SQLSTATE of a statement that the server refused because the transaction it came in had failed. */
const inFailedTransaction = '25P02'

/** Prepared, so that they travel in a group with what comes before or after them. */
const begin = { name: 'sluice.begin', text: 'BEGIN' }
const commit = { name: 'sluice.commit', text: 'COMMIT' }

function beginStatement(options: Limits): string | PreparedStatement {
  if (Object.keys(options).length === 0) return begin
  const { isolation, readOnly, lockTimeoutMs, statementTimeoutMs } = options
  const mode = [
    'BEGIN',
    isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation}`,
    readOnly === true ? ' READ ONLY' : '',
  ].join('')
  const limits = [
    lockTimeoutMs === undefined ? '' : `; SET LOCAL lock_timeout = ${Math.ceil(lockTimeoutMs)}`,
    statementTimeoutMs === undefined ? '' : `; SET LOCAL statement_timeout = ${Math.ceil(statementTimeoutMs)}`,
  ]
  return mode + limits.join('')
}

/** The statements that are not answered yet. What may stay unsent must not have COMMIT behind it, which would not notice. */
type UnderWay = Map<Promise<unknown>, { readonly mayStayUnsent: boolean }>

interface OpenTransaction {
  readonly tx: Transaction
  /** Refuses what is asked for from now on. */
  readonly close: () => void
  /** And what was asked for and still waits for BEGIN. */
  readonly end: () => void
  readonly isBegun: () => boolean
}

interface Beginning {
  readonly begun: Promise<unknown>
  readonly underWay: UnderWay
}

function transactionOn(session: Session, { begun, underWay }: Beginning): OpenTransaction {
  let depth = 0
  let state: 'open' | 'closed' | 'ended' = 'open'
  let isBegun = false
  let waits = false // for BEGIN; then the others wait, too, since statements run in call order
  begun.then(
    () => (isBegun = true),
    () => undefined, // the work's statements fail then, too
  )
  const send: Session['query'] = (sql, values = []) => {
    if (state !== 'open') return over()
    if (isBegun || (!waits && session.travelsWithLast(sql, values))) return session.query(sql, values)
    waits = true
    const asked = values.map(asOfNow)
    return begun.then(() => (state === 'ended' ? over() : session.query(sql, asked)))
  }
  const tx: Transaction = {
    query: (sql, values = []) => {
      const answer = send<never>(sql, values)
      underWay.set(answer, { mayStayUnsent: (waits && !isBegun) || !values.every(isPlain) })
      const settled = (): void => void underWay.delete(answer)
      answer.then(settled, settled)
      return answer
    },
    savepoint: async (work) => {
      const name = `sluice_${(depth += 1)}`
      await send(`SAVEPOINT ${name}`)
      try {
        const result = await work()
        await send(`RELEASE SAVEPOINT ${name}`)
        return result
      } catch (error) {
        if (session.lost() !== undefined) throw databaseError(session.lost(), true)
        await send(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`)
        throw error
      } finally {
        depth -= 1
      }
    },
  }
  return {
    tx,
    close: () => {
      state = 'closed'
    },
    end: () => {
      state = 'ended'
    },
    isBegun: () => isBegun,
  }
}

const over = (): Promise<never> => Promise.reject(new SluiceError('aborted', 'The transaction is over'))

async function rolledBack(session: Session): Promise<boolean> {
  try {
    await session.query('ROLLBACK')
    return true
  } catch {
    return false // the error that led here is what matters; the connection is destroyed
  }
}
