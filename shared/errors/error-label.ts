// What may be shown of an error where its message may not: messages of drivers hold addresses, users and now and then a
// password. A code of ours, of the system (ECONNREFUSED) or of Postgres (57P01), or `internal`.

import { SluiceError } from './sluice-error.ts'

const systemCode = /^[A-Z0-9_]{2,40}$/

export function errorLabel(error: unknown): string {
  if (error instanceof SluiceError) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && systemCode.test(error.code))
    return error.code
  return 'internal'
}
