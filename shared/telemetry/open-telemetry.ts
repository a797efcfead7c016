// The recording side of the spans: OpenTelemetry's NodeSDK behind the port, told everything explicitly: no detectors, no
// instrumentation, no metrics or logs, no propagator. Loaded only when spans are wanted (create-tracing.ts).
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
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'
import { SluiceError, messageOf } from '../errors/index.ts'
import { createOtlpExporter, type OtlpExporterDeps } from './otlp-exporter.ts'
import { createRecordRedact } from './redact-record.ts'
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

export interface OpenTelemetryDeps extends OtlpExporterDeps {
  readonly redact: Redact
}

export interface Tracing {
  readonly tracer: Tracer
  /** Sends what has ended. Takes `withinMs` at most, and never long. */
  flush(withinMs: number): Promise<void>
  stop(withinMs: number): Promise<void>
}

/** Of one export. A collector that takes longer is not waited for. In milliseconds. */
const exportTimeoutMs = 5_000
/** Longest flush: what the drain of a process can spare. In milliseconds. */
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
  const { clock } = deps
  // Names and types come again and again: what was harmless is not looked at anew for each span.
  const redact = createRecordRedact(deps.redact).message
  const exporter = createOtlpExporter({ url: `${endpoint}/v1/traces`, headers, timeoutMs: exportTimeoutMs }, deps)
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: queueSpans,
    maxExportBatchSize: batchSpans,
    scheduledDelayMillis: batchEveryMs,
    exportTimeoutMillis: exportTimeoutMs,
  })
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'sluice' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: valueChars, attributeCountLimit: 32, linkCountLimit: 32 },
    spanProcessors: [processor],
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    textMapPropagator: null,
  })
  sdk.start()
  const recorder = api.getTracer('sluice')

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
    const fail = (type: string, message = ''): void => {
      span.setAttribute('error.type', type)
      span.setStatus({ code: SpanStatusCode.ERROR, message: redact(message).slice(0, valueChars) })
    }
    return {
      trace: above === undefined ? { traceId, spanId, sampled } : { ...above, traceId, spanId, sampled },
      set: (more) => void span.setAttributes(cleaned(more, redact)),
      fail,
      end: (failure) => {
        if (failure !== undefined) fail(failure instanceof SluiceError ? failure.code : 'internal', messageOf(failure))
        span.end()
      },
    }
  }

  const within = async (ms: number, work: Promise<void>): Promise<void> => {
    const enough = new AbortController()
    const time = clock.sleep(Math.max(0, Math.min(ms, flushMs)), enough.signal)
    await Promise.race([work.catch(() => undefined), time.catch(() => undefined)])
    enough.abort()
  }
  const flush = (ms: number): Promise<void> => within(ms, processor.forceFlush())
  return {
    tracer: { on: true, start },
    flush,
    stop: async (ms) => {
      await flush(ms)
      await exporter.shutdown() // gives up what is still under way
      await within(flushMs, sdk.shutdown())
      api.disable()
    },
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
  for (const name in attributes) {
    const value = attributes[name]
    if (value === undefined) continue
    if (typeof value === 'string') clean[name] = redact(value)
    else clean[name] = typeof value === 'object' ? value.map(redact) : value
  }
  return clean
}
