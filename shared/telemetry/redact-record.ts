// What a log record may hold: values under the name of a credential are replaced, texts go through the patterns of
// redact-text.ts, and what is endless is cut. The record itself is never changed.
//
// RR1  An ordinary record, flat and harmless, is given back as it is: making another one for each line would cost more than
//      the line.
// RR2  Never throws, whatever it is given: what cannot be looked at is replaced by a word.

import { messageOf } from '../errors/index.ts'
import type { Redact } from './redact-text.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface RecordRedact {
  fields(fields: Fields): Fields
  message(message: string): string
}

/** Names whose values are never told: the last words of a name in any spelling, such as `apiKey` or `db_password`. */
const credential =
  /(?:password|passwd|pwd|passphrase|secret|token|authorization|cookie|credentials?|(?:api|access|private|secret|signing|encryption)key|connectionstring|dsn)$/

/** Their values are from closed sets, or ids that Sluice itself makes. */
const plainNames = new Set(['trace_id', 'span_id', 'function', 'outcome', 'status', 'code', 'level', 'method', 'route'])

const deepest = 6
const mostMembers = 64
const mostNames = 2_048
const mostMessages = 512

export function createRecordRedact(redact: Redact): RecordRedact {
  const verdicts = new Map<string, boolean>()
  const harmless = new Set<string>()

  function isCredential(name: string): boolean {
    const known = verdicts.get(name)
    if (known !== undefined) return known
    const verdict = credential.test(name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase())
    if (verdicts.size < mostNames) verdicts.set(name, verdict)
    return verdict
  }

  function valueOf(name: string, value: unknown, depth: number): unknown {
    if (value === undefined || value === null || typeof value === 'boolean' || plainNames.has(name)) return value
    if (isCredential(name)) return '[redacted]'
    if (typeof value === 'number') return value
    if (typeof value === 'string') return redact(value)
    if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : `[${typeof value}]`
    return depth >= deepest ? '[deep]' : membersOf(value, depth)
  }

  function membersOf(value: object, depth: number): unknown {
    try {
      if (value instanceof Error) return errorFields(value, depth)
      if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
      if ('toJSON' in value && typeof value.toJSON === 'function') return valueOf('', value.toJSON(), depth + 1)
      if (Array.isArray(value))
        return value.slice(0, mostMembers).map((member: unknown) => valueOf('', member, depth + 1))
      const entries = Object.entries(value).slice(0, mostMembers)
      return Object.fromEntries(entries.map(([name, member]) => [name, valueOf(name, member, depth + 1)]))
    } catch {
      return '[unreadable]'
    }
  }

  const errorFields = (error: Error, depth: number): Fields => ({
    type: error.name,
    message: redact(messageOf(error)),
    ...('code' in error ? { code: valueOf('', error.code, depth + 1) } : {}),
    ...(typeof error.stack === 'string' ? { stack: redact(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: valueOf('', error.cause, depth + 1) }),
  })

  return {
    fields: (fields) => {
      let changed: Record<string, unknown> | undefined
      for (const name in fields) {
        const value = fields[name]
        const clean = valueOf(name, value, 0)
        if (clean === value) continue
        changed ??= { ...fields }
        changed[name] = clean
      }
      return changed ?? fields
    },
    // Messages are constants, but nothing forces them to be.
    message: (message) => {
      if (harmless.has(message)) return message
      const clean = redact(message)
      if (clean === message && harmless.size < mostMessages) harmless.add(message)
      return clean
    },
  }
}
