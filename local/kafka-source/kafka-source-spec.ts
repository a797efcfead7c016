// The KafkaSource resource as the twin reads it, and what its delivery section comes to once the control plane has lowered
// it. The traps are upstream's own and kept: `delivery` without `retry` means no retries at all
// (eventing-kafka-broker, control-plane/pkg/core/config/utils.go, EgressConfigFromDelivery).

import { SluiceError } from '../../shared/errors/index.ts'

export interface KafkaSourceSpec {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly topics: readonly string[]
    readonly consumerGroup: string
    readonly ordering?: 'ordered' | 'unordered'
    readonly initialOffset?: 'earliest' | 'latest'
    readonly delivery?: DeliverySpec
    readonly sink: { readonly uri: string }
    readonly ceOverrides?: { readonly extensions: Readonly<Record<string, string>> }
  }
}

/** Durations are ISO 8601, such as `PT0.2S`. */
export interface DeliverySpec {
  readonly retry?: number
  readonly backoffPolicy?: 'linear' | 'exponential'
  readonly backoffDelay?: string
  readonly timeout?: string
  readonly deadLetterSink?: { readonly uri: string }
}

/** What the data plane works with. */
export interface DeliveryRules {
  readonly retries: number
  readonly backoffPolicy: 'linear' | 'exponential'
  readonly backoffDelayMs: number
  /** Longest wait for the head of an answer. The body is waited for without limit, as upstream does. */
  readonly timeoutMs: number
  readonly deadLetterUri?: string
}

const defaultTimeoutMs = 600_000
const defaultDelayMs = 200

/** @throws SluiceError `invalid_option` for a duration that is not ISO 8601. */
export function deliveryRules(delivery: DeliverySpec | undefined): DeliveryRules {
  if (delivery === undefined) {
    return { retries: 10, backoffPolicy: 'exponential', backoffDelayMs: 300, timeoutMs: defaultTimeoutMs }
  }
  return {
    retries: delivery.retry ?? 0,
    backoffPolicy: delivery.backoffPolicy ?? 'exponential',
    backoffDelayMs: delivery.backoffDelay === undefined ? defaultDelayMs : durationMs(delivery.backoffDelay),
    timeoutMs: timeoutMsOf(delivery.timeout),
    ...(delivery.deadLetterSink === undefined ? {} : { deadLetterUri: delivery.deadLetterSink.uri }),
  }
}

/** PT0S is as good as none. */
function timeoutMsOf(timeout: string | undefined): number {
  const timeoutMs = timeout === undefined ? 0 : durationMs(timeout)
  return timeoutMs > 0 ? timeoutMs : defaultTimeoutMs
}

/** Milliseconds before the next try, after `failures` failed ones (1 = the first). No jitter and no cap, as upstream. */
export function retryDelayMs({ backoffPolicy, backoffDelayMs }: DeliveryRules, failures: number): number {
  return backoffPolicy === 'linear' ? backoffDelayMs * failures : backoffDelayMs * 2 ** failures
}

/** Fewest retries whose linear delays, 1 + 2 + … + n times `delayMs`, last at least `outageMs`. */
export function linearRetriesFor(outageMs: number, delayMs: number): number {
  return Math.max(1, Math.ceil((Math.sqrt(1 + (8 * outageMs) / delayMs) - 1) / 2))
}

/** ISO 8601, as the delivery section takes it: `PT0.5S`. */
export const isoDurationOf = (ms: number): string => `PT${ms / 1_000}S`

const isoDuration = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Whole milliseconds; what is below one is dropped. */
export function durationMs(text: string): number {
  const match = isoDuration.exec(text)
  if (match === null || text === 'P' || text.endsWith('T')) {
    throw new SluiceError('invalid_option', `${text} is not an ISO 8601 duration such as PT0.2S`)
  }
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  const wholeSeconds = ((days * 24 + hours) * 60 + minutes) * 60
  return wholeSeconds * 1_000 + Math.floor(Number((seconds * 1_000).toFixed(6)))
}
