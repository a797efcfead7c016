// The one source of chance of a run: the same seed gives the same workload and the same schedule (mulberry32).

export interface SeededRandom {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** A whole number from `from` to `to`, both included. */
  readonly between: (from: number, to: number) => number
  readonly chance: (probability: number) => boolean
  readonly shuffle: <T>(values: readonly T[]) => readonly T[]
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    shuffle: (values) => {
      const shuffled = [...values]
      for (let at = shuffled.length - 1; at > 0; at -= 1) {
        const other = between(0, at)
        const [a, b] = [shuffled[at], shuffled[other]]
        if (a === undefined || b === undefined) continue
        shuffled[at] = b
        shuffled[other] = a
      }
      return shuffled
    },
  }
}
