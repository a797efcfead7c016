// Request bodies of HTTP functions: JSON in UTF-8, parsed with the limits of shared/events, or nothing. Everything else is
// 415: a body that no rule has looked at must not reach a route. A route that takes other media adds its own parser.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { SluiceError } from '../../errors/index.ts'
import { parseJson } from '../../events/index.ts'

export function addBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1]
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
      return done(new SluiceError('unsupported_media_type', 'the charset is not utf-8'))
    }
    const parsed = parseJson(body)
    if (parsed.ok) return done(null, parsed.value)
    done(new SluiceError(parsed.code, parsed.message))
  })
}

/** No compressed bodies: one that inflates has no length until it is too late. */
export function refuseEncodedBodies({ headers }: FastifyRequest): SluiceError | undefined {
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return undefined
  return new SluiceError('unsupported_media_type', 'the body is encoded')
}
