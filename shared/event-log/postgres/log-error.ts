// Errors of the database in the words of the event log.

import { isDatabaseBusy, messageOf, SluiceError, sqlState } from '../../errors/index.ts'

export function logError(error: unknown): unknown {
  const lost = error instanceof SluiceError && error.code === 'database_unavailable'
  const passing = isDatabaseBusy(sqlState(error))
  if (!lost && !passing) return error
  return new SluiceError('event_log_unavailable', `The event log does not answer: ${messageOf(error)}`, {
    cause: error,
  })
}
