// A policy: continues the trace of the record, or begins one. The decoder has already preferred the record's own
// traceparent to the request's, which is often that of another record (docs/kafka-source.md, K8).

import type { Incoming } from '../../../delivery/index.ts'
import { topicOf } from '../../../events/index.ts'
import {
  childTrace,
  newTrace,
  noTracer,
  parseTraceparent,
  withTrace,
  type Span,
  type SpanAttributes,
  type TraceContext,
} from '../../../telemetry/index.ts'
import type { Policy } from '../pipeline.ts'
import type { Reception } from '../reception.ts'
import type { Reply, ReplyOutcome } from '../reply.ts'

export const trace = (): Policy => (deps, next) => {
  const { tracer = noTracer, badTraceContexts } = deps
  return (incoming, reception) => {
    if (incoming.badTrace !== undefined) badTraceContexts?.inc({ part: incoming.badTrace })
    if (!tracer.on) {
      const context = incoming.trace === undefined ? newTrace() : childTrace(incoming.trace)
      reception.trace = context
      return withTrace(context, () => next(incoming, reception))
    }
    const span = tracer.start({
      name: `process ${topicOf(incoming.topic ?? '')?.name ?? 'event'}`,
      kind: 'consumer',
      parent: incoming.trace,
      attributes: attributesOf(incoming, reception),
    })
    reception.trace = span.trace
    return ended(span, () => withTrace(span.trace, () => next(incoming, reception)))
  }
}

/** Messaging conventions of OpenTelemetry. No key and no subject: they may name a person. */
const attributesOf = ({ event, topic, partition, offset }: Incoming, { laneToken }: Reception): SpanAttributes => ({
  'messaging.system': topic === undefined ? undefined : 'kafka',
  'messaging.destination.name': topic,
  'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
  'messaging.kafka.offset': offset,
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
  'messaging.message.id': event.id,
  'cloudevents.event_source': event.source,
  'cloudevents.event_type': event.type,
  'sluice.way_in': laneToken === undefined ? 'source' : 'lane',
})

async function ended(span: Span, work: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    const reply = await work()
    const { outcome, code = outcome, reason } = reply
    span.set({ 'sluice.outcome': outcome, 'http.response.status_code': reply.status })
    if (failures.has(outcome)) span.fail(code, reason)
    span.end()
    return reply
  } catch (error) {
    span.end(error)
    throw error
  }
}

const failures: ReadonlySet<ReplyOutcome> = new Set(['dead', 'retrying', 'held', 'refused', 'invalid', 'failed'])

/** For requests that never became an event: what the request says, the record being unreadable. */
export function traceOfRequest({ headers }: Pick<Reception, 'headers'>): TraceContext {
  const { traceparent } = headers
  return parseTraceparent(typeof traceparent === 'string' ? traceparent : undefined) ?? newTrace()
}
