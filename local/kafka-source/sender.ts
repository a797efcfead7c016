// The port through which the twin reaches sinks, and what an outcome means to the data plane (WebClientCloudEventSender.java,
// Knative delivery spec): 2xx accepted; 404, 408, 409, 429, every 5xx and everything without a whole answer tried again; the
// rest final. Retry-After is not looked at.

import type { SinkRequest } from './request/index.ts'

export interface SinkAnswer {
  readonly kind: 'answer'
  readonly status: number
  /** As received, repeated names included. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

export type SendOutcome = SinkAnswer | { readonly kind: 'broken'; readonly reason: string }

export interface Sender {
  /**
   * Sends once. Rejects only when `signal` aborts; whatever goes wrong on the way is an outcome.
   * `timeoutMs` covers the time to the head of the answer.
   */
  send(
    request: SinkRequest,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<SendOutcome>
}

export type Meaning = 'accepted' | 'retry' | 'final'

const retryable: ReadonlySet<number> = new Set([404, 408, 409, 429])

export function meaningOf(outcome: SendOutcome): Meaning {
  if (outcome.kind === 'broken') return 'retry'
  if (outcome.status >= 200 && outcome.status < 300) return 'accepted'
  return retryable.has(outcome.status) || outcome.status >= 500 ? 'retry' : 'final'
}
