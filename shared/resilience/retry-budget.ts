// Keeps retries from multiplying the load of a dependency that is already failing: a failure costs a token, a success
// gives a tenth of one back, and below half of the bucket nobody retries. So a dead dependency sees first tries only.
// Source: gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs".

export interface RetryBudgetOptions {
  /** Size of the bucket, full at the start. Retries stop at half of it. Default 10. */
  readonly tokens?: number
  /** Tokens that a success gives back: the lasting share of retries. Default 0.1. */
  readonly refund?: number
}

export interface RetryBudget {
  readonly succeeded: () => void
  /** Only failures that would be retried count: a caller's own mistake says nothing about the dependency. */
  readonly failed: () => void
  readonly allowsRetry: () => boolean
}

/** One budget per dependency, shared by all its calls. */
export function createRetryBudget({ tokens: size = 10, refund = 0.1 }: RetryBudgetOptions = {}): RetryBudget {
  let tokens = size
  return {
    succeeded: () => {
      tokens = Math.min(size, tokens + refund)
    },
    failed: () => {
      tokens = Math.max(0, tokens - 1)
    },
    allowsRetry: () => tokens > size / 2,
  }
}
