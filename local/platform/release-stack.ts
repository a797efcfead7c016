// What was started, to be ended in reverse order: also when a start failed half-way, and whatever one of the ends throws.

export interface ReleaseStack {
  add(end: () => Promise<void> | void): void
  /** Ends everything, once. Throws the first error after all ends were tried. */
  all(): Promise<void>
}

export function createReleaseStack(): ReleaseStack {
  const ends: (() => Promise<void> | void)[] = []
  let releasing: Promise<void> | undefined

  async function releaseAll(): Promise<void> {
    const errors: unknown[] = []
    for (const end of ends.toReversed()) {
      try {
        await end()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  return { add: (end) => void ends.push(end), all: () => (releasing ??= releaseAll()) }
}
