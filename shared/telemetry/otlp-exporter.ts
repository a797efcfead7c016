// The spans that others in the process record with OpenTelemetry's API, a library mostly. They are encoded by OpenTelemetry and sent
// as those of Sluice are.

import { ExportResultCode } from '@opentelemetry/core'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { OnExported, OtlpSender } from './otlp-sender.ts'

export interface OtlpExporterDeps {
  readonly sender: Pick<OtlpSender, 'send'>
  readonly onExported: OnExported
}

export function createOtlpExporter({ sender, onExported }: OtlpExporterDeps): SpanExporter {
  async function send(spans: ReadableSpan[]): Promise<string> {
    const body = JsonTraceSerializer.serializeRequest(spans)
    return body === undefined ? 'not serialisable' : sender.send(Buffer.from(body))
  }
  return {
    export: (spans, done) => {
      const told = (reason: string): void => {
        onExported(reason === '' ? 'sent' : 'lost', spans.length, reason)
        done({ code: reason === '' ? ExportResultCode.SUCCESS : ExportResultCode.FAILED })
      }
      void send(spans).then(told, () => told('not serialisable'))
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  }
}
