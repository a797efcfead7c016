// Who records spans in this process: nobody, or OpenTelemetry when an endpoint is configured. Only then is the SDK loaded.

import type { Config } from '../config/index.ts'
import { messageOf, SluiceError } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import type { Instruments } from './instruments.ts'
import type { Logger } from './logger.ts'
import type { Tracing } from './open-telemetry.ts'
import type { OnExported } from './otlp-sender.ts'
import type { Redact } from './redact-text.ts'
import { noTracer } from './span.ts'

export interface TracingOptions {
  /** Name of the function: `service.name` of its spans. */
  readonly function: string
  readonly config: Pick<Config, 'otlpEndpoint' | 'otlpHeaders' | 'traceSampleRatio'>
}

export interface TracingDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Pick<Instruments, 'spans'>
  readonly redact: Redact
}

const noTracing: Tracing = { tracer: noTracer, flush: async () => undefined, stop: async () => undefined }

/** @throws SluiceError `invalid_option` for headers that are none. A collector that is away is no reason not to start. */
export async function createTracing(
  { function: service, config }: TracingOptions,
  deps: TracingDeps,
): Promise<Tracing> {
  const { otlpEndpoint: endpoint, otlpHeaders, traceSampleRatio: sampleRatio } = config
  if (endpoint === '') return noTracing
  const headers = parseHeaders(otlpHeaders?.reveal() ?? '')
  const { clock, log, instruments, redact } = deps
  const { createOpenTelemetry } = await import('./open-telemetry.ts')
  let losing = false
  const onExported: OnExported = (outcome, spans, reason) => {
    instruments.spans.inc({ outcome }, spans)
    if (outcome === 'lost' && !losing) log.warn({ spans, reason }, 'spans cannot be exported; they are lost')
    if (outcome === 'sent' && losing) log.info('spans are exported again')
    losing = outcome === 'lost'
  }
  return createOpenTelemetry({ endpoint, headers, service, sampleRatio }, { clock, redact, onExported })
}

/** `name=value` pairs, separated by commas, values percent-encoded (OTLP exporter specification, as W3C Baggage). */
function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw badHeaders()
      try {
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]
      } catch (error) {
        throw badHeaders(messageOf(error))
      }
    }),
  )
}

const badHeaders = (why = 'a pair has no name'): SluiceError =>
  new SluiceError('invalid_option', `OTEL_EXPORTER_OTLP_HEADERS: expected name=value pairs, percent-encoded: ${why}`)
