// Records the spans of Sluice itself: what a piece of work says of itself is kept until it ends, and then becomes text at once.
// OpenTelemetry's span objects do not come into it: a dozen objects and copies a span, which live until their batch is sent, cost
// an event more than everything else that is done for it (docs/adr/0013-spans-behind-a-port.md).
//
// SR1  A parent decides whether its spans are recorded; where a trace begins, the sampler does.
// SR2  What is not sampled has its place in the trace, for logs and events, and is not recorded.
// SR3  A span is told once. What comes after its end is ignored.

import { messageOf, SluiceError } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import type { SpanFacts, SpanToJson } from './span-json.ts'
import type { Span, SpanAttributes, SpanKind, SpanOptions, Tracer } from './span.ts'
import { childTrace, currentTrace, newTrace, type TraceContext } from './trace-context.ts'

export interface SpanRecorderDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** Is the trace that begins with this id sampled? */
  readonly samples: (traceId: string) => boolean
  readonly toJson: SpanToJson
  readonly keep: (json: string) => void
}

export function createSpanRecorder(deps: SpanRecorderDeps): Tracer {
  const beginTrace = (): TraceContext => {
    const trace = newTrace()
    return deps.samples(trace.traceId) ? trace : { ...trace, sampled: false }
  }
  return {
    on: true,
    start: (options) => {
      const above = options.parent ?? currentTrace()
      const trace = above === undefined ? beginTrace() : childTrace(above)
      return trace.sampled ? new RecordedSpan({ trace, above, options }, deps) : { trace, ...unrecorded }
    },
  }
}

const nothing = (): void => undefined
const unrecorded = { set: nothing, fail: nothing, end: nothing }

interface Begun {
  readonly trace: TraceContext
  readonly above: TraceContext | undefined
  readonly options: SpanOptions
}

const noLinks: readonly TraceContext[] = []

// A class: one object a span, and no closures.
class RecordedSpan implements Span, SpanFacts {
  readonly trace: TraceContext
  readonly parent: TraceContext | undefined
  readonly isParentRemote: boolean
  readonly name: string
  readonly kind: SpanKind
  readonly links: readonly TraceContext[]
  readonly attributes: Record<string, SpanAttributes[string]>
  readonly startedAt: number
  failure: string | undefined
  durationMs = 0
  #ended = false
  readonly #beganAtMs: number
  readonly #deps: SpanRecorderDeps

  constructor({ trace, above, options }: Begun, deps: SpanRecorderDeps) {
    this.trace = trace
    this.parent = above
    this.isParentRemote = options.parent !== undefined
    this.name = options.name
    this.kind = options.kind ?? 'internal'
    this.links = options.links ?? noLinks
    this.attributes = { ...options.attributes }
    this.startedAt = Math.floor(deps.clock.now())
    this.#beganAtMs = deps.clock.monotonic()
    this.#deps = deps
  }

  set(more: SpanAttributes): void {
    for (const name in more) {
      const value = more[name]
      if (value !== undefined) this.attributes[name] = value
    }
  }

  fail(type: string, message = ''): void {
    this.attributes['error.type'] = type
    this.failure = message
  }

  end(failure?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    if (failure !== undefined) this.fail(failure instanceof SluiceError ? failure.code : 'internal', messageOf(failure))
    const { clock, toJson, keep } = this.#deps
    this.durationMs = clock.monotonic() - this.#beganAtMs
    keep(toJson(this))
  }
}
