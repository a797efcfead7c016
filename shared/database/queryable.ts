// What the rest of Sluice sees of Postgres. Values of SQL types arrive as JavaScript has them: json and jsonb parsed, bytea
// as Buffer, timestamptz as Date, int8 as number (out of the safe range: an error, never a rounded value), numeric as text.
// Parameters: pass objects and arrays for json columns as JSON text, since the driver turns a JavaScript array into a
// Postgres array.

import type { Component } from '../lifecycle/index.ts'

export type Row = Record<string, unknown>

export interface QueryAnswer<R> {
  readonly rows: R[]
  /** Rows returned or changed; 0 for a statement that has no count. */
  readonly rowCount: number
}

/** A statement that every connection plans once and keeps: for few texts that run often. A name belongs to one text. */
export interface PreparedStatement {
  readonly name: string
  readonly text: string
}

export interface Queryable {
  /**
   * Runs one statement. Concurrent calls on a transaction are sent without waiting for each other and run in call order.
   * @throws SluiceError `database_unavailable` when the connection is lost or the server is going away; the outcome of the
   * statement is then unknown. Other errors of the server pass unchanged (see `sqlState`).
   */
  query<R extends object = Row>(sql: string | PreparedStatement, values?: readonly unknown[]): Promise<QueryAnswer<R>>
}

export interface Transaction extends Queryable {
  /** Runs `work` behind a savepoint: when it throws, its statements are undone, the transaction goes on, and the error is rethrown. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
}

export interface TransactionOptions {
  /** Longest wait for a lock, in milliseconds; then SQLSTATE 55P03. Default: the pool's. */
  readonly lockTimeoutMs?: number
  /** Longest statement, in milliseconds; then SQLSTATE 57014. Default: the pool's. */
  readonly statementTimeoutMs?: number
  /** Default: read committed. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
  /**
   * While all connections are lent, may it begin on one whose COMMIT, of the transaction before, is not answered yet? That saves
   * a round trip. It shares the fate of that connection, and when that COMMIT fails `work` may be begun a second time, with
   * nothing executed the first time: for what is repeated anyway. Default: no.
   */
  readonly mayFollow?: boolean
}

export interface Subscription {
  /** No call of the listener begins after this returned. */
  stop(): Promise<void>
}

export interface Database extends Component, Queryable {
  probe(signal: AbortSignal): Promise<void>
  /**
   * Runs `work` between BEGIN and COMMIT; anything it throws rolls back and is rethrown. Statements that `work` began and did
   * not await are sent together with COMMIT; when one of them fails, nothing is committed and this rejects with its error.
   * @throws SluiceError `database_unavailable` when the connection is lost before the answer to COMMIT: the transaction may
   * have committed or not, so it is never reported as a success. `deadline_exceeded` when `work` left the transaction idle too
   * long. `handler_failed` when `work` swallowed the error of a statement, so that the server could only roll back.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Calls `onNotify` for every NOTIFY on the channel, and with '' after a lost connection was replaced, since notifications may
   * have been missed. All listeners share one connection that mends itself. Resolves when LISTEN is in effect.
   * @throws SluiceError `database_unavailable` when that does not happen within the connect timeout.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<Subscription>
  /**
   * Notifies by a statement of its own, so after everything already committed. Never call it for work of an open transaction.
   * Calls made while another is under way travel together, in call order; equal (channel, payload) pairs may become one.
   */
  notify(channel: string, payload?: string): Promise<void>
}
