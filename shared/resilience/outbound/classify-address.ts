// Which addresses a request of a user or a model may be sent to: public unicast and nothing else. It looks at resolved
// addresses, never at the text of a URL, of which there are endless spellings.
//
// IPv6 must lie in 2000::/3, the only block that is routed globally. That refuses at once the forms that carry an IPv4
// address inside: ::ffff:a.b.c.d (mapped), ::a.b.c.d (compatible), 64:ff9b::/96 (NAT64), ::ffff:0:a.b.c.d (RFC 6145).
// 6to4 and Teredo lie within it and are refused by their ranges. Refusing them all costs no real host its address.

import ipaddr from 'ipaddr.js'

export type AddressVerdict = { readonly allowed: true } | { readonly allowed: false; readonly range: string }

/** Addresses that look public and are not: the host agent of Azure answers every virtual machine on it. */
const hostAgents = new Set(['168.63.129.16'])

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** Total: what is not an address at all is refused as well. */
export function classifyAddress(address: string): AddressVerdict {
  if (!ipaddr.isValid(address)) return { allowed: false, range: 'not an address' }
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range !== 'unicast') return { allowed: false, range }
  if (hostAgents.has(parsed.toString())) return { allowed: false, range: 'host agent' }
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) return { allowed: false, range: 'not global' }
  return { allowed: true }
}
