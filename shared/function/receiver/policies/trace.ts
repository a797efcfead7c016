// A policy: continues the trace of the record, or begins one. The decoder has already preferred the record's own
// traceparent to the request's, which is often that of another record (docs/kafka-source.md, K8).

import { childTrace, newTrace, withTrace } from '../../../telemetry/index.ts'
import type { Policy } from '../pipeline.ts'

export const trace = (): Policy => (_deps, next) => (incoming, reception) => {
  const context = incoming.trace === undefined ? newTrace() : childTrace(incoming.trace)
  reception.trace = context
  return withTrace(context, () => next(incoming, reception))
}
