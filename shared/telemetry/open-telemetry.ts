// The recording side of the spans: OpenTelemetry's SDK behind the port, and nothing of its autoconfiguration, globals or
// instrumentation. Loaded only when spans are wanted (create-tracing.ts).
//
// OT1  Recording never waits: ended spans queue, and when the collector does not keep up the newest are dropped.
// OT2  flush() and stop() end within their time and never reject. Nobody's work depends on a collector.

import {
  ROOT_CONTEXT,
  SpanKind as Kind,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace as api,
  type Attributes,
  type Context,
  type SpanContext,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { SluiceError, messageOf } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import type { Redact } from './redact-text.ts'
import type { Span, SpanAttributes, SpanKind, SpanOptions, Tracer } from './span.ts'
import { currentTrace, type TraceContext } from './trace-context.ts'

export interface OpenTelemetryOptions {
  /** Base URL of an OTLP receiver; `/v1/traces` is appended. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly service: string
  /** Part of the traces that begin here, 0 to 1. What comes with a trace keeps that trace's decision. */
  readonly sampleRatio: number
}

export interface OpenTelemetryDeps {
  readonly clock: Clock
  readonly redact: Redact
  /** Hears how the export of so many spans ended. */
  readonly onExported: (outcome: 'sent' | 'lost', spans: number) => void
}

export interface Tracing {
  readonly tracer: Tracer
  flush(): Promise<void>
  stop(): Promise<void>
}

/** Of one export. A collector that takes longer is not waited for. In milliseconds. */
const exportTimeoutMs = 5_000
/** Longest flush, and longest stop: what the drain of a process can spare. In milliseconds. */
const flushMs = 1_000
const queueSpans = 4_096
const batchSpans = 512
const batchEveryMs = 1_000
const valueChars = 1_024

const kinds: Readonly<Record<SpanKind, Kind>> = {
  internal: Kind.INTERNAL,
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
}

export function createOpenTelemetry(options: OpenTelemetryOptions, deps: OpenTelemetryDeps): Tracing {
  const { endpoint, headers, service, sampleRatio } = options
  const { clock, redact } = deps
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    headers,
    timeoutMillis: exportTimeoutMs,
    concurrencyLimit: 4,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'sluice' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: valueChars, attributeCountLimit: 32, linkCountLimit: 32 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reporting(exporter, deps.onExported),
        maxQueueSize: queueSpans,
        maxExportBatchSize: batchSpans,
        scheduledDelayMillis: batchEveryMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  })
  const recorder = provider.getTracer('sluice')

  function start({ name, kind = 'internal', parent, links = [], attributes = {} }: SpanOptions): Span {
    const above = parent ?? currentTrace()
    const settings = {
      kind: kinds[kind],
      attributes: cleaned(attributes, redact),
      links: links.map((link) => ({ context: spanContextOf(link) })),
    }
    const span = recorder.startSpan(name, settings, contextOf(above, parent !== undefined))
    const { traceId, spanId, traceFlags } = span.spanContext()
    const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0
    return {
      trace: above === undefined ? { traceId, spanId, sampled } : { ...above, traceId, spanId, sampled },
      set: (more) => void span.setAttributes(cleaned(more, redact)),
      end: (failure) => {
        if (failure !== undefined) {
          span.setAttribute('error.type', failure instanceof SluiceError ? failure.code : 'internal')
          span.setStatus({ code: SpanStatusCode.ERROR, message: redact(messageOf(failure)).slice(0, valueChars) })
        }
        span.end()
      },
    }
  }

  const within = async (work: Promise<void>): Promise<void> => {
    const enough = new AbortController()
    await Promise.race([work.catch(() => undefined), clock.sleep(flushMs, enough.signal).catch(() => undefined)])
    enough.abort()
  }
  return {
    tracer: { on: true, start },
    flush: () => within(provider.forceFlush({ timeoutMillis: flushMs })),
    stop: () => within(provider.shutdown()),
  }
}

const contextOf = (parent: TraceContext | undefined, isRemote: boolean): Context =>
  parent === undefined ? ROOT_CONTEXT : api.setSpanContext(ROOT_CONTEXT, { ...spanContextOf(parent), isRemote })

function spanContextOf({ traceId, spanId, sampled, state }: TraceContext): SpanContext {
  const context = { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE }
  return state === undefined ? context : { ...context, traceState: createTraceState(state) }
}

/** Texts without what looks like a secret; what is undefined is left out. */
function cleaned(attributes: SpanAttributes, redact: Redact): Attributes {
  const clean: Attributes = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    if (typeof value === 'string') clean[name] = redact(value)
    else clean[name] = typeof value === 'object' ? value.map(redact) : value
  }
  return clean
}

/** The exporter itself has no logger: without this nobody would know that spans are lost. */
const reporting = (exporter: OTLPTraceExporter, told: OpenTelemetryDeps['onExported']): SpanExporter => ({
  export: (spans, done) =>
    exporter.export(spans, (result) => {
      told(result.error === undefined ? 'sent' : 'lost', spans.length)
      done(result)
    }),
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush(),
})
