// Chance that a seed repeats exactly. Each concern draws from a stream of its own, so that a change in one leaves the others
// as they were.

export interface Random {
  /** From 0 to below 1. */
  next(): number
  between(range: Range): number
  chance(probability: number): boolean
  /** Another stream, the same for the same seed and name. */
  stream(name: string): Random
}

export interface Range {
  readonly from: number
  readonly to: number
}

export function createRandom(seed: string): Random {
  let state = hashOf(seed)
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: ({ from, to }) => from + next() * (to - from),
    chance: (probability) => next() < probability,
    stream: (name) => createRandom(`${seed}/${name}`),
  }
}

/** FNV-1a, mixed once more: seeds that differ in one digit must not begin alike. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
}
