// An OTLP receiver for tests: takes spans as OpenTelemetry's exporters send them, JSON over HTTP, and keeps them.

import type { TestContext } from 'node:test'
import { startLoopbackServer, type LoopbackServer } from './loopback-server.ts'

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty for the root of a trace. */
  readonly parentSpanId: string
  readonly name: string
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  /** `service.name` of its process. */
  readonly service: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  /** 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string }
  readonly traceState: string
}

export interface OtlpReceiver extends LoopbackServer {
  readonly spans: readonly ReceivedSpan[]
  /** Everything that was sent, as it came. */
  text(): string
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'service' | 'attributes' | 'links' | 'status'> & {
        readonly attributes?: readonly Attribute[]
        readonly links?: ReceivedSpan['links']
        readonly status?: ReceivedSpan['status']
      })[]
    }[]
  }[]
}

export async function startOtlpReceiver(t: TestContext): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const bodies: string[] = []
  const server = await startLoopbackServer(t, (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      bodies.push(body)
      spans.push(...spansOf(JSON.parse(body) as ExportRequest))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  return { ...server, spans, text: () => bodies.join('\n') }
}

const spansOf = ({ resourceSpans }: ExportRequest): readonly ReceivedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        parentSpanId: span.parentSpanId ?? '',
        traceState: span.traceState ?? '',
        service: String(valuesOf(resource.attributes)['service.name']),
        attributes: valuesOf(span.attributes ?? []),
        links: span.links ?? [],
        status: span.status ?? {},
      })),
    ),
  )

const valuesOf = (attributes: readonly Attribute[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
