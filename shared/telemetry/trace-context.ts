// W3C trace context: the ids that join one piece of work across processes, and where the running code finds them.
// A malformed traceparent is ignored and a new trace begins (W3C Trace Context §3.2); an event is never refused for it.

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero: the span the current work belongs to. */
  readonly spanId: string
  readonly sampled: boolean
  /** tracestate of those who took part before, as it came. */
  readonly state?: string
  /** W3C baggage, bounded (propagation.ts). */
  readonly baggage?: string
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Version 00 as everybody writes it. */
const plain = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const zeroTraceId = '0'.repeat(32)
const zeroSpanId = '0'.repeat(16)

function fromPlain(text: string): TraceContext | undefined {
  const traceId = text.slice(3, 35)
  const spanId = text.slice(36, 52)
  if (traceId === zeroTraceId || spanId === zeroSpanId) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(text.slice(53), 16) & 1) === 1 }
}

export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length > 128) return undefined
  if (text.length === 55 && plain.test(text)) return fromPlain(text) // nearly always
  const [, version, traceId, spanId, flags, rest] = pattern.exec(text.trim()) ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const formatTraceparent = ({ traceId, spanId, sampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`

export const newTrace = (): TraceContext => ({ traceId: hex(16), spanId: hex(8), sampled: true })

/** A new span in the same trace. */
export const childTrace = (parent: TraceContext): TraceContext => ({ ...parent, spanId: hex(8) })

const storage = new AsyncLocalStorage<TraceContext>()

/** Runs `work` with `trace` as the current context; log records and emitted events below carry it. */
export const withTrace = <T>(trace: TraceContext, work: () => T): T => storage.run(trace, work)

/** To be kept with what is done here, so that later work can link to it. */
export const traceparentHere = (): string => formatTraceparent(currentTrace() ?? newTrace())

export const currentTrace = (): TraceContext | undefined => storage.getStore()

// Random bytes are drawn 4 KiB at a time: one call for each span costs more than parsing the event.
const pool = Buffer.alloc(4_096)
let used = pool.length

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
