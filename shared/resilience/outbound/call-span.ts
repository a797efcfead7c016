// The span of a call to a dependency, by the HTTP conventions of OpenTelemetry. It names the dependency and tells neither path
// nor query: they may hold what a user typed, or a key.

import type { Dependency, Span, Tracer } from '../../telemetry/index.ts'

export interface Call {
  readonly dependency: Dependency
  readonly method: string
  readonly url: string
}

/** Undefined while nobody records. It ends with the body of the answer. */
export function startCallSpan(
  { dependency, method, url }: Call,
  { tracer }: { readonly tracer?: Tracer | undefined },
): Span | undefined {
  if (tracer?.on !== true) return undefined
  const { hostname, port } = URL.parse(url) ?? {}
  return tracer.start({
    name: `${method} ${dependency}`,
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'peer.service': dependency,
      'server.address': hostname,
      'server.port': port === undefined || port === '' ? undefined : Number(port),
    },
  })
}

export function endCallSpan(span: Span | undefined, status: number): void {
  if (span === undefined) return
  span.set({ 'http.response.status_code': status })
  if (status >= 400) span.fail(String(status))
  span.end()
}
