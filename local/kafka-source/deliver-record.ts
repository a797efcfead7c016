// One record to its final outcome: tries with back-off, then the dead letter sink by the same rules, then dropped. Whatever
// the outcome, the offset is committed; only a jammed record stays.

import type { Clock } from '../../shared/time/index.ts'
import { deadLetterOf } from './dead-letter.ts'
import { retryDelayMs, type DeliveryRules } from './kafka-source-spec.ts'
import { formRequest, type DispatchedEvent } from './request/index.ts'
import { meaningOf, type SendOutcome, type Sender } from './sender.ts'
import type { TraceScopes } from './trace-scopes.ts'

export type RecordOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'dead-lettered'; readonly cause: string }
  | { readonly kind: 'dropped'; readonly cause: string }
  | { readonly kind: 'jammed'; readonly cause: string }

export interface DeliverOptions {
  readonly sinkUri: string
  readonly namespace: string
  readonly rules: DeliveryRules
  /** Ends everything under way; then nothing was decided about the record. */
  readonly signal: AbortSignal
}

export interface DeliverDeps {
  readonly sender: Sender
  readonly clock: Clock
  readonly traces: TraceScopes
  /** Sixteen hex digits: every request is a new span of the trace in place. */
  readonly spanId: () => string
}

/** Rejects only when the signal aborts. */
export async function deliverRecord(
  event: DispatchedEvent,
  options: DeliverOptions,
  deps: DeliverDeps,
): Promise<RecordOutcome> {
  const { sinkUri, rules } = options
  const outcome = await sendWithRetries(event, options, deps)
  if (meaningOf(outcome) === 'accepted') return { kind: 'delivered' }
  const cause = describe(outcome)
  const letter = deadLetterOf(event, sinkUri, outcome)
  if (letter.kind === 'jammed') return letter
  if (rules.deadLetterUri === undefined) return { kind: 'dropped', cause }
  const last = await sendWithRetries(letter.event, { ...options, sinkUri: rules.deadLetterUri }, deps)
  if (meaningOf(last) === 'accepted') return { kind: 'dead-lettered', cause }
  return { kind: 'dropped', cause: `${cause}; dead letter sink: ${describe(last)}` }
}

const describe = (outcome: SendOutcome): string =>
  outcome.kind === 'answer' ? `status ${outcome.status}` : outcome.reason

async function sendWithRetries(
  event: DispatchedEvent,
  options: DeliverOptions,
  deps: DeliverDeps,
): Promise<SendOutcome> {
  const { rules, signal } = options
  for (let failures = 1; ; failures += 1) {
    const outcome = await sendOnce(event, options, deps)
    if (meaningOf(outcome) !== 'retry' || failures > rules.retries) return outcome
    const delayMs = retryDelayMs(rules, failures)
    // Vert.x throws for a timer below 1 ms: the first retry fails at once, without a response.
    if (delayMs < 1) return { kind: 'broken', reason: 'the retry delay is below 1 ms' }
    await deps.clock.sleep(delayMs, signal)
  }
}

async function sendOnce(
  event: DispatchedEvent,
  { sinkUri: url, namespace, rules, signal }: DeliverOptions,
  { sender, traces, spanId }: DeliverDeps,
): Promise<SendOutcome> {
  // The head is written once a connection is there: after all records of the poll were received.
  await Promise.resolve()
  signal.throwIfAborted()
  const formed = formRequest(event, { url, namespace, trace: traces.headers(spanId()) })
  return formed.kind === 'request'
    ? sender.send(formed.request, { timeoutMs: rules.timeoutMs, signal })
    : { kind: 'broken', reason: formed.reason }
}
