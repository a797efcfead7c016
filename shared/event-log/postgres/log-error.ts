// Errors of the database in the words of the event log.

import { messageOf, SluiceError, sqlState } from '../../errors/index.ts'

export function logError(error: unknown): unknown {
  const lost = error instanceof SluiceError && error.code === 'database_unavailable'
  // Timeouts of statement or lock, deadlock, serialization: another try may succeed.
  const passing = /^(40|55P03|57014)/.test(sqlState(error) ?? '')
  if (!lost && !passing) return error
  return new SluiceError('event_log_unavailable', `The event log does not answer: ${messageOf(error)}`, {
    cause: error,
  })
}
