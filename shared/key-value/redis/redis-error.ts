// Errors of Redis and its client in the words of the key-value store.

import { messageOf, SluiceError } from '../../errors/index.ts'

export const notAnInteger = (error: unknown): boolean => messageOf(error).includes('not an integer or out of range')

export async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw new SluiceError('key_value_unavailable', `Redis does not answer: ${messageOf(error)}`, { cause: error })
  }
}
