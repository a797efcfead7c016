// What keys, values and messages may be, the same for every adapter.

import { SluiceError } from '../errors/index.ts'
import type { Lifetime } from './key-value.ts'

export const maxKeyBytes = 512
export const maxValueBytes = 1_048_576
export const maxMessageBytes = 65_536

export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key)
  if (bytes >= 1 && bytes <= maxKeyBytes && !key.includes('\0')) return
  throw new SluiceError(
    'invalid_parameter',
    `A key has 1 to ${maxKeyBytes} bytes and no NUL; this one has ${bytes} bytes`,
  )
}

export function checkValue(value: string): void {
  const bytes = Buffer.byteLength(value)
  if (bytes > maxValueBytes)
    throw new SluiceError('invalid_parameter', `A value has ${maxValueBytes} bytes at most; this one has ${bytes}`)
}

export function checkMessage(message: string): void {
  const bytes = Buffer.byteLength(message)
  if (bytes > maxMessageBytes)
    throw new SluiceError('invalid_parameter', `A message has ${maxMessageBytes} bytes at most; this one has ${bytes}`)
}

export function checkLifetime({ ttlMs }: Lifetime): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 1) return
  throw new SluiceError(
    'invalid_parameter',
    `A time to live is a whole number of milliseconds, 1 or more; got ${ttlMs}`,
  )
}

export function checkIncrement(by: number): void {
  if (Number.isSafeInteger(by)) return
  throw new SluiceError('invalid_parameter', `A counter changes by whole numbers; got ${by}`)
}
