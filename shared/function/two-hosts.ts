// A request with two Host fields is refused (RFC 9112 §3.2): what stands before us may have routed it by the other one. Node
// keeps the first and says nothing.

import type { IncomingMessage } from 'node:http'

export function namesTwoHosts({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}
