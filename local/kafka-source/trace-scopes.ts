// The tracing context of one source, which its records share (eventing-kafka-broker issue 3913; OpenTelemetryTracer of
// Vert.x). A record with a valid traceparent puts its trace in place when it is received and puts back what it found when it
// is done, in whatever order records end. A request carries what is in place when its head is written: often another
// record's trace. The record's own is in its event and is right.

import { formatTraceparent, parseTraceparent, type TraceContext } from '../../shared/telemetry/index.ts'
import { propagatedBaggage, propagatedTracestate } from './propagation.ts'
import type { SourceRecord } from './record-log.ts'

export interface TraceScopes {
  /** Call what it returns when the record is done. */
  open(record: SourceRecord): () => void
  /** Headers of a request whose head is written now, as the span `spanId` of the trace in place. */
  headers(spanId: string): readonly (readonly [string, string])[]
}

interface RecordTrace {
  readonly context: TraceContext
  readonly others: readonly (readonly [string, string])[]
}

export function createTraceScopes(): TraceScopes {
  let inPlace: RecordTrace | undefined
  return {
    open: (record) => {
      const trace = traceOf(record)
      if (trace === undefined) return () => {}
      const before = inPlace
      inPlace = trace
      return () => void (inPlace = before)
    },
    headers: (spanId) =>
      inPlace === undefined
        ? []
        : [['traceparent', formatTraceparent({ ...inPlace.context, spanId })], ...inPlace.others],
  }
}

function traceOf(record: SourceRecord): RecordTrace | undefined {
  const traceparent = headerText(record, 'traceparent')
  const context = traceparent === traceparent?.trim() ? parseTraceparent(traceparent) : undefined
  if (context === undefined) return undefined
  const others = [
    ['tracestate', propagatedTracestate(headerText(record, 'tracestate'))],
    ['baggage', propagatedBaggage(headerText(record, 'baggage'))],
  ] as const
  return { context, others: others.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])) }
}

/** In any case of the name; the first of several. */
const headerText = ({ headers }: SourceRecord, wanted: string): string | undefined =>
  headers.find(([name, value]) => value !== null && name.toLowerCase() === wanted)?.[1]?.toString('utf8')
