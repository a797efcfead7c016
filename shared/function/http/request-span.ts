// The span of a request to an HTTP function, by the HTTP conventions of OpenTelemetry; without a recorder only its place in
// the trace. The route's pattern names it and not the path, which may hold ids and worse.

import type { FastifyRequest } from 'fastify'
import { noTracer, readTrace, type Instruments, type Span, type Tracer } from '../../telemetry/index.ts'

export interface RequestSpanDeps {
  /** Default: nobody records spans. */
  readonly tracer?: Tracer | undefined
  readonly instruments: Pick<Instruments, 'badTraceContexts'>
}

export interface RequestSpans {
  /** `recorded`: false for what only watches the process. */
  begin(request: FastifyRequest, options: { readonly recorded: boolean }): Span
  end(span: Span, status: number): void
}

export const createRequestSpans = ({ tracer = noTracer, instruments }: RequestSpanDeps): RequestSpans => ({
  begin: ({ method, protocol, headers, routeOptions }, { recorded }) => {
    const { trace: parent, refused } = readTrace({
      traceparent: textOf(headers['traceparent']),
      tracestate: textOf(headers['tracestate']),
      baggage: textOf(headers['baggage']),
    })
    if (refused !== undefined) instruments.badTraceContexts.inc({ part: refused })
    const route = routeOptions.url ?? '(none)'
    const attributes = { 'http.request.method': method, 'http.route': route, 'url.scheme': protocol }
    const spans = recorded ? tracer : noTracer
    return spans.start({ name: `${method} ${route}`, kind: 'server', parent, attributes })
  },
  end: (span, status) => {
    span.set({ 'http.response.status_code': status })
    if (status >= 500) span.fail(String(status))
    span.end()
  },
})

const textOf = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined
