// Leaves the traces of an answered request: one count, one duration, one log line. Children of the metrics are bound once.

import { receiveOutcomes, type Instruments, type Logger, type TraceContext } from '../../telemetry/index.ts'
import type { Reception } from './reception.ts'
import type { Reply, ReplyOutcome } from './reply.ts'

export interface RecordDeps {
  readonly instruments: Pick<Instruments, 'eventsReceived' | 'receiveSeconds' | 'shed'>
  readonly log: Logger
}

export interface Conclusion {
  readonly reception: Reception
  readonly reply: Reply
  readonly trace: TraceContext
  readonly seconds: number
}

export type RecordReply = (conclusion: Conclusion) => void

export function createRecord({ instruments, log }: RecordDeps): RecordReply {
  const counters = Object.fromEntries(
    receiveOutcomes.map((outcome) => [outcome, instruments.eventsReceived.labels({ outcome })]),
  ) as Record<ReplyOutcome, { inc(): void }>
  const { receiveSeconds, shed } = instruments

  return ({ reception, reply, trace, seconds }) => {
    counters[reply.outcome].inc()
    receiveSeconds.observe(seconds, trace)
    if (reply.shed !== undefined) shed.inc({ reason: reply.shed })
    if (reply.logged === true) return
    const level = reply.code === undefined ? 'info' : 'warn'
    if (!log.isLevelEnabled(level)) return
    log[level](
      {
        trace_id: trace.traceId,
        span_id: trace.spanId,
        event_id: reception.id,
        event_type: reception.type,
        outcome: reply.outcome,
        status: reply.status,
        code: reply.code,
        reason: reply.reason,
        seconds: Math.round(seconds * 1e6) / 1e6,
      },
      'event answered',
    )
  }
}
