export {
  childTrace,
  currentTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  withTrace,
  type TraceContext,
} from './trace-context.ts'
export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { createInstruments, type Instruments } from './instruments.ts'
export { receiveOutcomes, type Dependency } from './labels.ts'
