// Which answers the HTTP client follows by itself (HttpClientImpl of Vert.x): of a POST only 303, with a GET without the body;
// of that GET every redirect. The last answer is the one that counts.

import type { SinkRequest } from './request/index.ts'
import type { SendOutcome, Sender } from './sender.ts'

const maxRedirects = 16
const followedByGet: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export const followRedirects = ({ send }: Sender): Sender => ({
  send: async (first, options) => {
    let request = first
    let outcome = await send(request, options)
    for (let followed = 0; followed < maxRedirects; followed += 1) {
      const next = redirectOf(request, outcome)
      if (next === undefined) return outcome
      request = next
      outcome = await send(request, options)
    }
    return outcome
  },
})

function redirectOf(request: SinkRequest, outcome: SendOutcome): SinkRequest | undefined {
  if (outcome.kind === 'broken') return undefined
  if (outcome.status !== 303 && (request.method === 'POST' || !followedByGet.has(outcome.status))) return undefined
  const location = outcome.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
  const target = location === undefined ? null : URL.parse(location, request.url)
  if (target?.protocol !== 'http:') return undefined
  const headers = request.headers.flatMap((header) =>
    header[0] === 'content-length' ? [] : [header[0] === 'host' ? (['host', target.host] as const) : header],
  )
  return { method: 'GET', url: target.href, headers, body: null }
}
