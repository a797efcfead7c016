// JSON as Jackson writes it again: no white space, strings unescaped where they can be, integers as they were, other
// numbers through a Java double (1.00 becomes 1.0). Works on the text, because JavaScript numbers would lose digits.

import { javaDouble } from './java-number.ts'

const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gs

/** The members of an object by name, each value as Jackson would write it. Undefined when the text is not a JSON object. */
export function objectMembers(text: string): ReadonlyMap<string, string> | undefined {
  if (!isObject(text)) return undefined
  const members = new Map<string, string>()
  let depth = 0
  let name: string | undefined
  let value = ''
  for (const [part] of text.matchAll(token)) {
    if (depth === 1 && (part === ',' || part === '}')) {
      if (name !== undefined) members.set(name, value)
      name = undefined
    } else if (depth === 1 && name === undefined) {
      name = JSON.parse(part) as string
      value = ''
    } else if (depth > 1 || (depth === 1 && (part !== ':' || value !== ''))) value += rewritten(part)
    if (part === '{' || part === '[') depth += 1
    if (part === '}' || part === ']') depth -= 1
  }
  return members
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function rewritten(part: string): string {
  if (part.startsWith('"')) return JSON.stringify(JSON.parse(part))
  if (!/^-?\d/.test(part)) return part
  if (/[.e]/i.test(part)) return javaDouble(Number(part))
  return part === '-0' ? '0' : part
}
