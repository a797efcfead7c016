export {
  childTrace,
  currentTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  traceparentHere,
  withTrace,
  type TraceContext,
} from './trace-context.ts'
export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { createInstruments, type Instruments } from './instruments.ts'
export { receiveOutcomes, type Dependency } from './labels.ts'
export { createTracing } from './create-tracing.ts'
export type { Tracing } from './open-telemetry.ts'
export { inSpan, noTracer, type Span, type SpanAttributes, type Tracer } from './span.ts'
export { readTrace, traceHeaders, type TracePart, type TraceTexts } from './propagation.ts'
export { createRedact, type Redact } from './redact-text.ts'
export { changeableLevels, createLogLevel, type ChangeableLevel, type LogLevel } from './log-level.ts'
