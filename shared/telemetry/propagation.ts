// What travels beside the traceparent: the tracestate of whoever takes part in the trace, and baggage of the caller.
// Both come from outside and go along with every event that follows, so they are bounded, and what breaks the rules is left
// out. Neither is looked into, logged or put on a span.
//
// PR1  A malformed part is ignored and told to whoever counts; the event or request is never refused for it.
// PR2  Baggage comes from a caller or from the event itself, never from the transport of an event: a KafkaSource sends the
//      headers of one record with another (docs/kafka-source.md, K8), and baggage would go to a stranger.

import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts'

export const traceParts = ['traceparent', 'tracestate', 'baggage'] as const

export type TracePart = (typeof traceParts)[number]

export type TraceTexts = Readonly<Partial<Record<TracePart, string | undefined>>>

export interface ReadTrace {
  readonly trace?: TraceContext
  /** The first part that was malformed. */
  readonly refused?: TracePart
}

/** Longest tracestate that is passed on, in characters: what the standard asks for at least (W3C Trace Context §3.3.1.5). */
const stateChars = 512
const stateMembers = 32
/** Longest baggage, in characters. Less than the standard lets pass, since it is stored and sent with every event. */
const baggageChars = 1_024
const baggageMembers = 32

const stateMember = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x21-\x2b\x2d-\x3c\x3e-\x7e\x20]{1,256}$/
const baggageMember =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}\s?=\s?[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*(?:;[\x20\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*)?$/

export function readTrace({ traceparent, tracestate, baggage }: TraceTexts): ReadTrace {
  const trace = parseTraceparent(traceparent)
  if (trace === undefined) return traceparent === undefined ? {} : { refused: 'traceparent' }
  if (tracestate === undefined && baggage === undefined) return { trace }
  const state = tracestate === undefined ? undefined : boundedState(tracestate)
  const carried = baggage === undefined ? undefined : boundedBaggage(baggage)
  const whole = {
    ...trace,
    ...(state === undefined ? {} : { state }),
    ...(carried === undefined ? {} : { baggage: carried }),
  }
  if (tracestate !== undefined && state === undefined) return { trace: whole, refused: 'tracestate' }
  return carried === baggage ? { trace: whole } : { trace: whole, refused: 'baggage' }
}

/** As it is, or nothing: half a tracestate would say something else (W3C Trace Context §3.3). */
function boundedState(text: string): string | undefined {
  if (text.length > stateChars) return undefined
  const members = text.split(',').map((member) => member.trim())
  const filled = members.filter((member) => member !== '')
  return filled.length > 0 && filled.length <= stateMembers && filled.every((member) => stateMember.test(member))
    ? text
    : undefined
}

/** Members in order until the bounds are met; whole ones only (W3C Baggage §3.3.2). */
function boundedBaggage(text: string): string | undefined {
  if (text.length > 8 * baggageChars) return undefined
  const kept: string[] = []
  let chars = 0
  for (const member of text.split(',')) {
    const trimmed = member.trim()
    chars += trimmed.length + 1
    if (kept.length === baggageMembers || chars > baggageChars + 1) break
    if (baggageMember.test(trimmed)) kept.push(trimmed)
  }
  return kept.length === 0 ? undefined : kept.join(',')
}

/** Headers of a request to another service. `baggage`: only to services of our own. */
export function traceHeaders(
  trace: TraceContext,
  { baggage = false }: { readonly baggage?: boolean } = {},
): Record<string, string> {
  return {
    traceparent: formatTraceparent(trace),
    ...(trace.state === undefined ? {} : { tracestate: trace.state }),
    ...(baggage && trace.baggage !== undefined ? { baggage: trace.baggage } : {}),
  }
}
