// The port through which the twin reaches sinks, and what an outcome means to the data plane (WebClientCloudEventSender.java,
// Knative delivery spec): below 300 accepted; 404, 408, 409, 429, every 5xx and everything without a whole answer tried again;
// the rest final. Retry-After is not looked at.

import type { SinkRequest } from './request/index.ts'

export interface SinkAnswer {
  readonly kind: 'answer'
  readonly status: number
  /** As received, repeated names included. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

export type SendOutcome = SinkAnswer | { readonly kind: 'broken'; readonly reason: string }

export interface SendOptions {
  /** Longest wait for the head of the answer, in milliseconds. Its body is waited for without limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface Sender {
  /**
   * One exchange. Rejects only when `signal` aborts; whatever goes wrong on the way is an outcome.
   * A folded request is answered with 400, as the parser of the receiver would do.
   */
  send(request: SinkRequest, options: SendOptions): Promise<SendOutcome>
}

export type Meaning = 'accepted' | 'retry' | 'final'

const retryable: ReadonlySet<number> = new Set([404, 408, 409, 429])

export function meaningOf(outcome: SendOutcome): Meaning {
  if (outcome.kind === 'broken') return 'retry'
  if (outcome.status < 300) return 'accepted'
  return retryable.has(outcome.status) || outcome.status >= 500 ? 'retry' : 'final'
}
