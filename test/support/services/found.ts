// Real servers for tests come from wherever there is one. Sources are asked in order; what each lacked is kept for the reason
// that a skipped suite shows, or that fails the run in CI.

export type Found<T> = ({ readonly available: true } & T) | { readonly available: false; readonly reason: string }

export interface Source<T> {
  readonly name: string
  /** Resolves with the server, or with what is missing here. */
  find(): Promise<T | { readonly missing: string }>
}

/** The first source that has one. A source that throws has none, and its error is the reason. */
export async function findFirst<T extends object>(what: string, sources: readonly Source<T>[]): Promise<Found<T>> {
  const reasons: string[] = []
  for (const { name, find } of sources) {
    const found = await find().catch((error: unknown) => ({
      missing: error instanceof Error ? error.message : String(error),
    }))
    if (!('missing' in found)) return { available: true, ...found }
    reasons.push(`${name}: ${found.missing}`)
  }
  return { available: false, reason: `no ${what} (${reasons.join('; ')})` }
}
