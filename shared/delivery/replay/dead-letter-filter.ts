// Which dead letters a person means. Every field narrows; none of them: all.

export type DeadLetterState = 'dead' | 'replayed' | 'discarded'

export interface DeadLetterFilter {
  readonly ids?: readonly string[] | undefined
  readonly function?: string | undefined
  /** Of the event. */
  readonly type?: string | undefined
  readonly tenant?: string | undefined
  readonly fingerprint?: string | undefined
  /** Died at or after; ISO 8601. */
  readonly since?: string | undefined
  /** Died before; ISO 8601. */
  readonly until?: string | undefined
  readonly state?: DeadLetterState | undefined
}

/** A condition over `sluice.dead_letter AS letter` that takes the parameters $1 to $8. */
export const filterSql = `($1::uuid[] IS NULL OR letter.dead_letter_id = ANY ($1))
  AND ($2::text IS NULL OR letter.function = $2)
  AND ($3::text IS NULL OR letter.event->>'type' = $3)
  AND ($4::text IS NULL OR letter.tenant = $4)
  AND ($5::text IS NULL OR letter.fingerprint = $5)
  AND ($6::timestamptz IS NULL OR letter.at >= $6)
  AND ($7::timestamptz IS NULL OR letter.at < $7)
  AND ($8::text IS NULL OR letter.state = $8)`

/** As a date, since Postgres takes neither year 0 nor every offset that ISO 8601 has; a leap second only it can read. */
function moment(text: string | undefined): Date | string | null {
  if (text === undefined) return null
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? text : date
}

export const filterValues = (filter: DeadLetterFilter): readonly unknown[] => [
  filter.ids ?? null,
  filter.function ?? null,
  filter.type ?? null,
  filter.tenant ?? null,
  filter.fingerprint ?? null,
  moment(filter.since),
  moment(filter.until),
  filter.state ?? null,
]
