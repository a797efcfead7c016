// Errors of the database in the words of the key-value store.

import { isDatabaseBusy, messageOf, SluiceError, sqlState } from '../../errors/index.ts'

/** Runs `work` and gives errors of the database the code of this port. */
export async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const lost = error instanceof SluiceError && error.code === 'database_unavailable'
    const passing = isDatabaseBusy(sqlState(error))
    if (!lost && !passing) throw error
    throw new SluiceError('key_value_unavailable', `The key-value store does not answer: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
