// What OpenTelemetry for Java makes of the headers beside traceparent before it sends them on: members without white space,
// baggage by key; a tracestate that it does not understand is not sent at all.

const tracestateMembers = 32
const tracestateKey = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/
const tracestateValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

export function propagatedTracestate(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const members = text.split(/[ \t]*,[ \t]*/)
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))))
  const isUnderstood = members.every((member) => {
    const at = member.indexOf('=')
    return at > 0 && tracestateKey.test(member.slice(0, at)) && tracestateValue.test(member.slice(at + 1))
  })
  return isUnderstood && keys.size === members.length && members.length <= tracestateMembers
    ? members.join(',')
    : undefined
}

const baggageKey = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

export function propagatedBaggage(text: string | undefined): string | undefined {
  const entries = new Map<string, string>()
  for (const member of text?.split(',') ?? []) {
    const [pair = '', ...metadata] = member.split(';')
    const at = pair.indexOf('=')
    const key = pair.slice(0, Math.max(0, at)).trim()
    const value = percentDecoded(pair.slice(at + 1).trim())
    if (at < 0 || !baggageKey.test(key) || value === undefined) continue
    const properties = metadata.length === 0 ? '' : `;${baggageEncoded(metadata.join(';').trim())}`
    entries.set(key, `${baggageEncoded(value)}${properties}`)
  }
  const members = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`)
  return members.length === 0 ? undefined : members.join(',')
}

function percentDecoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

/** Everything outside baggage-octet, and the percent sign itself. */
const baggageEncoded = (value: string): string =>
  value.replace(/[^!#$&-+\--:<-[\]-~]/gu, (character) => encodeURIComponent(character))
