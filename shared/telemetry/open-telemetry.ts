// The recording side of the spans: OpenTelemetry's NodeSDK, told everything explicitly: no detectors, no instrumentation, no metrics
// or logs, no propagator; and beside it the recorder of Sluice's own spans, by the same resource, sampler and limits, to the same
// collector. Loaded only when spans are wanted (create-tracing.ts).
//
// OT1  Recording never waits: ended spans queue, and when the collector does not keep up the newest are dropped.
// OT2  flush() and stop() end within their time and never reject. Nobody's work depends on a collector.

import { ROOT_CONTEXT, trace as api } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { Clock } from '../time/index.ts'
import { createOtlpExporter } from './otlp-exporter.ts'
import { createOtlpSender, type OnExported } from './otlp-sender.ts'
import type { Redact } from './redact-text.ts'
import { createSpanBatches } from './span-batches.ts'
import { createSpanToJson, requestFrame } from './span-json.ts'
import { createSpanRecorder } from './span-recorder.ts'
import type { Tracer } from './span.ts'

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
  readonly onExported: OnExported
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
const limits = { attributes: 32, links: 32, valueChars: 1_024 }

export function createOpenTelemetry(options: OpenTelemetryOptions, deps: OpenTelemetryDeps): Tracing {
  const { endpoint, headers, service, sampleRatio } = options
  const { clock, redact, onExported } = deps
  const resource = { 'service.name': service, 'service.namespace': 'sluice' }
  const sampler = new TraceIdRatioBasedSampler(sampleRatio)
  const sender = createOtlpSender({ url: `${endpoint}/v1/traces`, headers, timeoutMs: exportTimeoutMs }, { clock })
  const exporter = createOtlpExporter({ sender, onExported })
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: 1_000,
    exportTimeoutMillis: exportTimeoutMs,
  })
  const sdk = new NodeSDK({
    resource: resourceFromAttributes(resource),
    sampler: new ParentBasedSampler({ root: sampler }),
    spanLimits: {
      attributeValueLengthLimit: limits.valueChars,
      attributeCountLimit: limits.attributes,
      linkCountLimit: limits.links,
    },
    spanProcessors: [processor],
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    textMapPropagator: null,
  })
  sdk.start()

  const batches = createSpanBatches({ frame: requestFrame(resource) }, { clock, sender, onExported })
  const tracer = createSpanRecorder({
    clock,
    samples: (traceId) => sampler.shouldSample(ROOT_CONTEXT, traceId).decision !== SamplingDecision.NOT_RECORD,
    toJson: createSpanToJson(limits, redact),
    keep: batches.add,
  })

  const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
    const enough = new AbortController()
    const time = clock.sleep(Math.max(0, Math.min(ms, flushMs)), enough.signal)
    await Promise.race([work.catch(() => undefined), time.catch(() => undefined)])
    enough.abort()
  }
  const flush = (ms: number): Promise<void> => within(ms, Promise.all([batches.flush(), processor.forceFlush()]))
  return {
    tracer,
    flush,
    stop: async (ms) => {
      await flush(ms)
      batches.stop()
      sender.close() // gives up what is still under way
      await within(flushMs, sdk.shutdown())
      api.disable()
    },
  }
}
