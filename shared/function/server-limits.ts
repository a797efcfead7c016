// Limits of the HTTP servers, each with its unit. The head limits differ: a gateway's callers are strangers, while a
// KafkaSource turns every Kafka header of a record into a request header and gives up for good on a 431.

import { jsonLimits } from '../events/index.ts'

export interface ServerLimits {
  /** Largest body, in bytes. */
  readonly bodyBytes: number
  /**
   * Longest oversized body that is read to its end before 413. A sender that is cut off sees a broken connection and tries
   * again (docs/kafka-source.md, K14), but no sender may keep us reading for ever.
   */
  readonly droppedBodyBytes: number
  /** Largest request head, in bytes. Node answers 431 beyond it. */
  readonly headBytes: number
  /** Longest request target, in characters. */
  readonly targetLength: number
  /** Longest time from the connection to the end of the head, in milliseconds. */
  readonly headTimeoutMs: number
  /** Longest time from the connection to the end of the body, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Longest time without a byte while a request is answered, in milliseconds: a client that does not read keeps its place no longer. */
  readonly stalledMs: number
  /** How often the head and request limits are checked, in milliseconds. */
  readonly timeoutCheckMs: number
  /** Idle connections stay open this long, in milliseconds: longer than any sender keeps them, so that we never close first. */
  readonly keepAliveMs: number
}

const common = {
  bodyBytes: jsonLimits.bodyBytes,
  droppedBodyBytes: 16 * 1_048_576,
  targetLength: 8_192,
  headTimeoutMs: 10_000,
  requestTimeoutMs: 14_000,
  stalledMs: 120_000,
  timeoutCheckMs: 500,
  keepAliveMs: 620_000,
}

export const receiverLimits: ServerLimits = { ...common, headBytes: 65_536 }
export const httpLimits: ServerLimits = { ...common, headBytes: 16_384 }

/** The options of `http.createServer` that keep these limits. The parser stays strict: no lenient flags, ever. */
export const serverOptions = (limits: ServerLimits) => ({
  maxHeaderSize: limits.headBytes,
  headersTimeout: limits.headTimeoutMs,
  requestTimeout: limits.requestTimeoutMs,
  connectionsCheckingInterval: limits.timeoutCheckMs,
  keepAliveTimeout: limits.keepAliveMs,
  insecureHTTPParser: false,
  noDelay: true,
})
