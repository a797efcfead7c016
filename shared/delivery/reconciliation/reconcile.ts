// The live check of what must always hold between inbox, lanes, dead letters and outbox. It reads, and changes nothing.
//
// V1  A check that read nothing is told from one that found nothing: each says how many rows it looked at.
// V2  What is under way is no offender: rows get a grace before they count.

import type { Queryable } from '../../database/index.ts'
import { checksOf, type CheckName } from './checks.ts'
import { scopes, type ScopeName } from './scope.ts'

export interface Reconciled {
  readonly check: CheckName
  /** Rows that were looked at. */
  readonly read: number
  readonly offenders: number
  /** Some of them, the oldest first: what they are and what is wrong. */
  readonly samples: readonly string[]
}

export interface ReconcileOptions {
  /** `all` reads the whole tables, `recent` a bounded part of each. Default `all`. */
  readonly scope?: ScopeName
  /** How long what is under way may take before it counts, in milliseconds. Default 60,000. */
  readonly graceMs?: number
  /** Offenders of each check that are told. Default 20. */
  readonly samples?: number
}

interface Row {
  readonly read: number
  readonly offenders: number
  readonly samples: readonly string[] | null
}

/** All checks, one after the other. @throws what the database threw. */
export async function reconcile(
  queryable: Queryable,
  { scope = 'all', graceMs = 60_000, samples = 20 }: ReconcileOptions = {},
): Promise<readonly Reconciled[]> {
  const results: Reconciled[] = []
  for (const { name, sql, values = [] } of checksOf(scopes[scope])) {
    const { rows } = await queryable.query<Row>(sql, [graceMs, samples, ...values])
    const [row] = rows
    results.push({
      check: name,
      read: row?.read ?? 0,
      offenders: row?.offenders ?? 0,
      samples: row?.samples ?? [],
    })
  }
  return results
}
