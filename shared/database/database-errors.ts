// Turns what the driver throws into what callers can act on. Only the loss of the database gets a code of ours; errors about
// a statement keep their SQLSTATE, which classifyError and callers read.

import { isDatabaseLost, messageOf, SluiceError, sqlState } from '../errors/index.ts'

/** idle_in_transaction_session_timeout and transaction_timeout: the server ended the session because its user dawdled. */
const dawdled = new Set(['25P03', '25P04'])

/** `connectionLost`: the connection the error came over can no longer be used. */
export function databaseError(error: unknown, connectionLost: boolean): unknown {
  if (error instanceof SluiceError) return error
  const state = sqlState(error)
  if (state !== undefined && dawdled.has(state)) {
    return new SluiceError('deadline_exceeded', 'The transaction was left idle too long and the server ended it', {
      cause: error,
    })
  }
  if (connectionLost || (state !== undefined && isDatabaseLost(state))) return unavailable(error)
  return error
}

/** Why a connection was not to be had is in the message: wrong password and refused connection look alike to retries, not to people. */
export const unavailable = (cause: unknown): SluiceError =>
  cause instanceof SluiceError
    ? cause
    : new SluiceError('database_unavailable', `The database does not answer: ${messageOf(cause)}`, { cause })

/** FATAL and PANIC end the session. */
export const endsSession = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')
