// What a log record may hold: values under the name of a credential are replaced, texts go through the patterns of
// redact-text.ts, and what is endless is cut. The record itself is never changed.
//
// RR1  An ordinary record, flat and harmless, is given back as it is, and what was harmless before is not looked at again:
//      there is a line for each event, and looking at all of it anew would cost as much as writing it.
// RR2  Never throws, whatever it is given: what cannot be looked at is replaced by a word.
// RR3  Of a record so many values are looked at, however they hang together: an object whose members lead back to it looks endless.

import { messageOf } from '../errors/index.ts'
import { ownId, type Redact } from './redact-text.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface RecordRedact {
  fields(fields: Fields): Fields
  message(message: string): string
}

/** Names whose values are never told: the last words of a name in any spelling, such as `apiKey` or `db_password`. */
const credential =
  /(?:password|passwd|pwd|passphrase|secret|token|authorization|cookie|credentials?|(?:api|access|private|secret|signing|encryption)key|connectionstring|dsn)$/

/** Their values are from closed sets, or ids that Sluice itself makes. */
const plainNames = ['trace_id', 'span_id', 'function', 'outcome', 'status', 'code', 'level', 'method', 'route']

type Verdict = 'plain' | 'credential' | 'other'

/** An id of others: not worth keeping in mind. */
const hexadecimal = /^[0-9a-f-]+$/
const shortText = 64

const deepest = 6
const mostMembers = 64
const mostValues = 256
const mostNames = 2_048
const mostTexts = 1_024

export function createRecordRedact(redact: Redact): RecordRedact {
  const verdicts = new Map<string, Verdict>(plainNames.map((name) => [name, 'plain']))
  const harmless = new Set<string>()
  /** Of the record that is looked at now. */
  let valuesLeft = mostValues

  function judge(name: string): Verdict {
    const isCredential = credential.test(name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase())
    const verdict = isCredential ? 'credential' : 'other'
    if (verdicts.size < mostNames) verdicts.set(name, verdict)
    return verdict
  }

  /** Messages, types and names come again and again; ids do not. */
  function textOf(text: string): string {
    if (text.length > shortText) return redact(text)
    if (harmless.has(text) || ownId.test(text)) return text
    const clean = redact(text)
    if (clean === text && harmless.size < mostTexts && !hexadecimal.test(text)) harmless.add(text)
    return clean
  }

  function valueOf(name: string, value: unknown, depth: number): unknown {
    if (value === undefined || value === null || typeof value === 'boolean') return value
    const verdict = verdicts.get(name) ?? judge(name)
    if (verdict !== 'other') return verdict === 'plain' ? value : '[redacted]'
    if (typeof value === 'string') return textOf(value)
    if (typeof value === 'number') return value
    if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : `[${typeof value}]`
    return depth >= deepest || (valuesLeft -= 1) < 0 ? '[deep]' : membersOf(value, depth)
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
      valuesLeft = mostValues
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
    message: textOf,
  }
}
