// The spans of publishing, one for each record and in that record's trace: its making is the parent, whatever process and
// whatever batch it leaves in (messaging conventions of OpenTelemetry: `create`, then `send`).

import type { AppendRecord, Position } from '../../event-log/index.ts'
import { parseTraceparent, type Tracer } from '../../telemetry/index.ts'

export interface SendSpans {
  sent(places: readonly Position[]): void
  failed(error: unknown): void
}

const nobody: SendSpans = { sent: () => undefined, failed: () => undefined }

export function startSendSpans(tracer: Tracer, records: readonly AppendRecord[]): SendSpans {
  if (!tracer.on) return nobody
  const spans = records.map((record) =>
    tracer.start({
      name: `send ${record.topic}`,
      kind: 'client',
      parent: parseTraceparent(headerOf(record, 'traceparent')),
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': record.topic,
        'messaging.message.id': headerOf(record, 'ce_id'),
        'messaging.message.body.size': record.value?.length,
        'messaging.batch.message_count': records.length,
      },
    }),
  )
  return {
    sent: (places) => {
      for (const [index, span] of spans.entries()) {
        const { partition, offset } = places[index] ?? {}
        span.set({
          'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
          'messaging.kafka.offset': offset,
        })
        span.end()
      }
    },
    failed: (error) => {
      for (const span of spans) span.end(error)
    },
  }
}

const headerOf = ({ headers }: AppendRecord, wanted: string): string | undefined =>
  headers.find(([name]) => name === wanted)?.[1]?.toString('utf8')
