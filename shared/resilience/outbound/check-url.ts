// The rules for URLs that users or models choose, before anything is resolved: http or https, port 80 or 443, no
// userinfo. An entry of the allow-list, `host:port`, lifts the port rule and the address rule for exactly that pair.

import { isIP } from 'node:net'
import { SluiceError } from '../../errors/index.ts'

export interface Target {
  readonly url: URL
  /** Without brackets and without the dot that ends an absolute name. */
  readonly host: string
  readonly port: number
  /** The host is an address already; there is nothing to resolve. */
  readonly isAddress: boolean
  /** Named by the allow-list: its addresses are not checked. */
  readonly allowListed: boolean
}

const longestUrl = 8_192
const openPorts = new Set([80, 443])

/** @throws SluiceError `blocked_url` naming the rule. The URL itself is not repeated: it may hold a credential. */
export function checkUrl(text: string, allow: ReadonlySet<string>): Target {
  const url = text.length > longestUrl ? null : URL.parse(text)
  if (url === null)
    throw blocked(text.length > longestUrl ? `longer than ${longestUrl} characters` : 'not an absolute URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw blocked(`scheme ${url.protocol} is not http or https`)
  if (url.username !== '' || url.password !== '') throw blocked('a user name or password in the URL')
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  const host = bare.endsWith('.') ? bare.slice(0, -1) : bare
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const allowListed = allow.has(`${url.hostname}:${port}`)
  if (!allowListed && !openPorts.has(port)) throw blocked(`port ${port} is not 80 or 443`)
  return { url, host, port, isAddress: isIP(host) !== 0, allowListed }
}

const blocked = (rule: string): SluiceError => new SluiceError('blocked_url', `this URL is not allowed: ${rule}`)
