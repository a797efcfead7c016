// When to try again. Full jitter: each delay is drawn uniformly from [0, ceiling], so that clients that failed together
// do not come back together. Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
//
// I1  0 ≤ delay ≤ maxMs, for every attempt and every random value.
// I2  The ceiling doubles per attempt until it meets maxMs, and never overflows.

export interface BackoffOptions {
  /** Ceiling of the first delay, in milliseconds. Lower retries sooner and loads the dependency more. */
  readonly firstMs: number
  /** Upper bound of every ceiling, in milliseconds. */
  readonly maxMs: number
}

/** Delay before the next try, in milliseconds, after `attempt` failures (1 = the first failure). */
export function backoffDelay({ firstMs, maxMs }: BackoffOptions, attempt: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.max(0, attempt - 1))
  return Math.floor(random() * ceiling)
}
