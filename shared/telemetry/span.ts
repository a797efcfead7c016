// Spans: how long a piece of work took and where it stands in its trace. This is the port; who records spans, if anybody, is
// decided once at the start (create-tracing.ts), so delivery, resilience, model and functions know no SDK.
//
// SP1  While nobody records, `on` is false, nothing is made and the work runs as if the call were not there.
// SP2  A span holds no content: names come from closed sets, attributes are ids, names, sizes and codes.

import { childTrace, currentTrace, newTrace, withTrace, type TraceContext } from './trace-context.ts'

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface SpanOptions {
  /** Low in variety: `step`, `send tool.requests`; never with an id in it. */
  readonly name: string
  /** Default: internal. */
  readonly kind?: SpanKind
  /** Of another process, mostly. Default: the current trace; without one, a new trace begins. */
  readonly parent?: TraceContext | undefined
  /** Other work that this work comes of. */
  readonly links?: readonly TraceContext[]
  readonly attributes?: SpanAttributes
}

export interface Span {
  /** Its place in the trace: what is done or sent within it carries this. */
  readonly trace: TraceContext
  set(attributes: SpanAttributes): void
  /** The work failed without an error that is thrown. `type`: an error code, or an outcome. */
  fail(type: string, message?: string): void
  /** `failure`: what the work threw. Its code is kept, and its message without what looks like a secret. */
  end(failure?: unknown): void
}

export interface Tracer {
  /** Does anybody record? Asked before names and attributes are made. */
  readonly on: boolean
  start(options: SpanOptions): Span
}

const nothing = (): void => undefined

/** Gives places in a trace, as every event and log line has one, and records nothing. */
export const noTracer: Tracer = {
  on: false,
  start: ({ parent = currentTrace() }) => ({
    trace: parent === undefined ? newTrace() : childTrace(parent),
    set: nothing,
    fail: nothing,
    end: nothing,
  }),
}

/** Within a span that a failure of the work ends, too. */
export function inSpan<Result>(
  tracer: Tracer,
  describe: () => SpanOptions,
  work: (span: Pick<Span, 'set' | 'fail'>) => Promise<Result>,
): Promise<Result> {
  return tracer.on ? recorded(tracer.start(describe()), work) : work({ set: nothing, fail: nothing })
}

async function recorded<Result>(span: Span, work: (span: Span) => Promise<Result>): Promise<Result> {
  try {
    const result = await withTrace(span.trace, () => work(span))
    span.end()
    return result
  } catch (error) {
    span.end(error)
    throw error
  }
}
