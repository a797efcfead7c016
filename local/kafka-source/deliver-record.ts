// One record to its final outcome: tries with back-off, then the dead letter sink by the same rules, then dropped. Whatever
// the outcome, the offset is committed; only a jammed record stays.

import type { TraceContext } from '../../shared/telemetry/index.ts'
import { formatTraceparent } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { deadLetterOf } from './dead-letter.ts'
import { retryDelayMs, type DeliveryRules } from './kafka-source-spec.ts'
import { formRequest, type DispatchedEvent, type FormedRequest, type TraceHeaders } from './request/index.ts'
import { meaningOf, type SendOutcome, type Sender } from './sender.ts'

export interface RecordTrace {
  readonly context: TraceContext
  readonly tracestate?: string
  readonly baggage?: string
}

export interface Delivery {
  readonly event: DispatchedEvent
  readonly trace?: RecordTrace
}

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
  /** Sixteen hex digits: every request is a new span of the record's trace. */
  readonly spanId: () => string
}

/** Rejects only when the signal aborts. */
export async function deliverRecord(
  delivery: Delivery,
  options: DeliverOptions,
  deps: DeliverDeps,
): Promise<RecordOutcome> {
  const { sinkUri, rules } = options
  const outcome = await sendWithRetries(delivery, options, deps)
  if (meaningOf(outcome) === 'accepted') return { kind: 'delivered' }
  const cause = describe(outcome)
  const letter = deadLetterOf(delivery.event, sinkUri, outcome)
  if (letter.kind === 'jammed') return { kind: 'jammed', cause: `the answer had the header ${letter.header}` }
  if (rules.deadLetterUri === undefined) return { kind: 'dropped', cause }
  const toDeadLetters = { ...options, sinkUri: rules.deadLetterUri }
  const last = await sendWithRetries({ ...delivery, event: letter.event }, toDeadLetters, deps)
  if (meaningOf(last) === 'accepted') return { kind: 'dead-lettered', cause }
  return { kind: 'dropped', cause: `${cause}; dead letter sink: ${describe(last)}` }
}

const describe = (outcome: SendOutcome): string =>
  outcome.kind === 'answer' ? `status ${outcome.status}` : outcome.reason

async function sendWithRetries(
  { event, trace }: Delivery,
  { sinkUri: url, namespace, rules, signal }: DeliverOptions,
  { sender, clock, spanId }: DeliverDeps,
): Promise<SendOutcome> {
  for (let failures = 1; ; failures += 1) {
    const headers = trace === undefined ? {} : { trace: traceHeaders(trace, spanId()) }
    const formed = formRequest(event, { url, namespace, ...headers })
    signal.throwIfAborted()
    const outcome =
      formed.kind === 'request'
        ? await sender.send(formed.request, { timeoutMs: rules.timeoutMs, signal })
        : unsent(formed)
    if (meaningOf(outcome) !== 'retry' || failures > rules.retries) return outcome
    const delayMs = retryDelayMs(rules, failures)
    // Vert.x throws for a timer below 1 ms: the first retry fails at once, without a response.
    if (delayMs < 1) return { kind: 'broken', reason: 'the retry delay is below 1 ms' }
    await clock.sleep(delayMs, signal)
  }
}

const unsent = (formed: Exclude<FormedRequest, { readonly kind: 'request' }>): SendOutcome =>
  formed.kind === 'unsendable'
    ? { kind: 'broken', reason: formed.reason }
    : { kind: 'answer', status: 400, headers: [], body: Buffer.alloc(0) }

function traceHeaders({ context, tracestate, baggage }: RecordTrace, spanId: string): TraceHeaders {
  return {
    traceparent: formatTraceparent({ ...context, spanId }),
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(baggage === undefined ? {} : { baggage }),
  }
}
