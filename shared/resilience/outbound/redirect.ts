// Where a redirect leads and what may be sent there. Methods change as the Fetch standard says (§4.4, HTTP-redirect
// fetch). Beyond it: across origins every header of the caller is dropped except a few harmless ones, since a key may
// hide in any of them, and a body is not sent to another origin at all.

import { SluiceError } from '../../errors/index.ts'
import type { ResponseHeaders } from './response.ts'

export interface Hop {
  readonly url: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

const redirects = new Set([301, 302, 303, 307, 308])
const harmless = new Set(['accept', 'accept-language', 'accept-encoding', 'user-agent', 'content-type'])
const ours = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'proxy-authorization',
  'proxy-connection',
])

/** Lower-case names, with what the client itself asks for. @throws SluiceError `invalid_request` for a header that frames the message. */
export function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const lower = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value])
  const refused = lower.find(([name]) => ours.has(name))
  if (refused !== undefined)
    throw new SluiceError('invalid_request', `the header ${refused[0]} is set by the client itself`)
  return { 'user-agent': 'sluice', accept: '*/*', ...Object.fromEntries(lower), 'accept-encoding': 'gzip, deflate, br' }
}

/** `undefined` when the answer is no redirect. @throws SluiceError `blocked_url` for a target that is no URL. */
export function nextHop(
  hop: Hop,
  from: URL,
  answer: { readonly status: number; readonly headers: ResponseHeaders },
): Hop | undefined {
  const { location } = answer.headers
  if (!redirects.has(answer.status) || location === undefined) return undefined
  const to = URL.parse(location, from.href)
  if (to === null) throw new SluiceError('blocked_url', 'a redirect leads to something that is not a URL')
  const turnsToGet = answer.status === 303 ? hop.method !== 'HEAD' : answer.status <= 302 && hop.method === 'POST'
  const sameOrigin = to.origin === from.origin
  const body = turnsToGet ? undefined : hop.body
  if (body !== undefined && !sameOrigin)
    throw new SluiceError('blocked_url', 'a redirect would send the body to another origin')
  const kept = Object.entries(hop.headers).filter(
    ([name]) => (sameOrigin || harmless.has(name)) && !(turnsToGet && name === 'content-type'),
  )
  return { url: to.href, method: turnsToGet ? 'GET' : hop.method, headers: Object.fromEntries(kept), body }
}
