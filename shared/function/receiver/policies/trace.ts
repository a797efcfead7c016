// A policy: continues the trace of the record, or begins one. The decoder has already preferred the record's own
// traceparent to the request's, which is often that of another record (docs/kafka-source.md, K8).

import { childTrace, newTrace, parseTraceparent, withTrace, type TraceContext } from '../../../telemetry/index.ts'
import type { Policy } from '../pipeline.ts'
import type { Reception } from '../reception.ts'

export const trace = (): Policy => (_deps, next) => (incoming, reception) => {
  const context = incoming.trace === undefined ? newTrace() : childTrace(incoming.trace)
  reception.trace = context
  return withTrace(context, () => next(incoming, reception))
}

/** For requests that never became an event: what the request says, the record being unreadable. */
export function traceOfRequest({ headers }: Pick<Reception, 'headers'>): TraceContext {
  const { traceparent } = headers
  return parseTraceparent(typeof traceparent === 'string' ? traceparent : undefined) ?? newTrace()
}
