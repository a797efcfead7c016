// How many streams one tenant may hold open in this process.

import { SluiceError } from '../../../shared/errors/index.ts'

export interface StreamLimit {
  /** Takes a place; call what it returns when the stream has ended. @throws SluiceError `too_many_streams`. */
  enter(tenant: string): () => void
}

export function createStreamLimit({ perTenant }: { readonly perTenant: number }): StreamLimit {
  const open = new Map<string, number>()
  return {
    enter: (tenant) => {
      const count = open.get(tenant) ?? 0
      if (count >= perTenant)
        throw new SluiceError('too_many_streams', `${perTenant} streams are open`, { retryAfterMs: 5_000 })
      open.set(tenant, count + 1)
      return () => {
        const left = (open.get(tenant) ?? 1) - 1
        if (left > 0) open.set(tenant, left)
        else open.delete(tenant)
      }
    },
  }
}
