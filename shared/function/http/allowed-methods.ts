// Which methods a path knows, for 405 and its Allow header. Fastify answers 404 whether the path or the method is wrong.

import type { FastifyInstance } from 'fastify'

export interface KnownRoute {
  readonly segments: readonly string[]
  readonly method: string
}

/** Collects the routes that are added from now on. */
export function collectRoutes(app: FastifyInstance): readonly KnownRoute[] {
  const routes: KnownRoute[] = []
  app.addHook('onRoute', ({ url, method }) => {
    for (const name of Array.isArray(method) ? method : [method])
      routes.push({ segments: url.split('/'), method: name })
  })
  return routes
}

export function allowedMethods(routes: readonly KnownRoute[], target: string): readonly string[] {
  const path = target.split('?', 1)[0] ?? '/'
  const segments = path.split('/')
  return [...new Set(routes.filter((route) => fits(route.segments, segments)).map(({ method }) => method))].toSorted()
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.at(-1) === '*')
    return (
      segments.length >= pattern.length && pattern.slice(0, -1).every((part, at) => fitsSegment(part, segments[at]))
    )
  return pattern.length === segments.length && pattern.every((part, at) => fitsSegment(part, segments[at]))
}

const fitsSegment = (part: string, segment = ''): boolean => (part.startsWith(':') ? segment !== '' : part === segment)
