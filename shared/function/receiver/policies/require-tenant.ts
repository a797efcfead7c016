// A policy: an event that a function keeps state for names whose it is. Missing or malformed means refused, never "nobody's":
// every row carries the tenant. A raw record has none of its own; there the KafkaSource's ceOverrides set it.

import type { Policy } from '../pipeline.ts'
import { refusalOf } from '../refuse.ts'

/** Lower case only, so that two spellings can never be two tenants. */
const pattern = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/

export const requireTenant =
  (): Policy =>
  ({ refuse }, next) =>
  (incoming, reception) => {
    if (incoming.tenant !== undefined && pattern.test(incoming.tenant)) return next(incoming, reception)
    const message = 'the extension tenant is missing or is no tenant name'
    return refuse(refusalOf(incoming, 'tenant_invalid', message), reception)
  }
