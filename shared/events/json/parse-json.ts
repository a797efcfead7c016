// The one way JSON from outside becomes a value. What comes out can be stored in Postgres, logged, cloned and stringified.
//
// J1  The text is well-formed UTF-8; no string and no key holds NUL or a lone surrogate (jsonb and text refuse them).
// J2  Depth and number of keys are checked before JSON.parse runs, so hostile text costs one scan.
// J3  No key is there twice: parsers disagree about which one counts (ASVS V1.5.3).
// J4  No key can reach a prototype: never `__proto__`, never `constructor` with members of its own (ASVS V15.3.6).
// J5  A number is what was written, or refused: nothing beyond ±(2^53 − 1), no -0. Fractions round as doubles do.
// J6  Messages never repeat the input.
//
// Cost: one scan of the text, JSON.parse, one walk of the value. The scan counts the colons outside strings; the walk counts
// the keys; a difference is a duplicate. Escapes are rare: without one the scan leaps over strings, and none is looked at.

import { isUtf8 } from 'node:buffer'
import type { ErrorCode } from '../../errors/index.ts'
import { jsonLimits, type JsonLimits } from './json-limits.ts'

export type JsonFault = Extract<
  ErrorCode,
  | 'invalid_json'
  | 'invalid_encoding'
  | 'invalid_character'
  | 'too_complex'
  | 'forbidden_key'
  | 'duplicate_key'
  | 'number_out_of_range'
  | 'body_too_large'
>

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: JsonFault; readonly message: string }

export function parseJson(input: Uint8Array | string, limits: JsonLimits = jsonLimits): ParsedJson {
  const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.length
  if (bytes > limits.bodyBytes) return fault('body_too_large', `more than ${limits.bodyBytes} bytes of JSON`)
  if (typeof input === 'string' ? !input.isWellFormed() : !isUtf8(input)) {
    return fault('invalid_encoding', 'the JSON is not well-formed UTF-8')
  }
  const text = typeof input === 'string' ? input : asBuffer(input).toString('utf8')
  const escaped = text.includes('\\')
  const keys = scan(text, escaped, limits)
  if (typeof keys === 'string') return fault('too_complex', keys)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fault('invalid_json', `not valid JSON${positionIn(error)}`)
  }
  const walk: Walk = { keys: 0, escaped, fault: undefined }
  visit(value, walk)
  if (walk.fault !== undefined) return walk.fault
  if (walk.keys !== keys) return fault('duplicate_key', 'an object has the same key twice')
  return { ok: true, value }
}

type Fault = Extract<ParsedJson, { ok: false }>

const fault = (code: JsonFault, message: string): Fault => ({ ok: false, code, message })

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

// V8 quotes the input in its message; only the position is passed on.
function positionIn(error: unknown): string {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  return position === undefined ? '' : ` at position ${position}`
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

// Depth and keys without parsing: the number of keys, or what there is too much of. On text that is not JSON the counts mean
// nothing, and JSON.parse refuses it afterwards.
function scan(text: string, escaped: boolean, { depth: maxDepth, keys: maxKeys }: JsonLimits): number | string {
  const end = text.length
  let depth = 0
  let keys = 0
  let at = 0
  while (at < end) {
    const unit = text.charCodeAt(at++)
    if (unit === quote) {
      if (escaped) {
        while (at < end && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
        at++
      } else {
        at = text.indexOf('"', at) + 1
        if (at === 0) return keys // a string without an end: no JSON
      }
    } else if (unit === colon) {
      if (++keys > maxKeys) return `more than ${maxKeys} keys`
    } else if (unit === openBrace || unit === openBracket) {
      if (++depth > maxDepth) return `nested deeper than ${maxDepth}`
    } else if (unit === closeBrace || unit === closeBracket) {
      depth--
    }
  }
  return keys
}

interface Walk {
  keys: number
  /** Only then can a NUL, a lone surrogate or a hidden key be in the value. */
  readonly escaped: boolean
  fault: Fault | undefined
}

function visit(value: unknown, walk: Walk): void {
  if (typeof value === 'string') {
    if (walk.escaped) checkText(value, walk)
  } else if (typeof value === 'number') {
    checkNumber(value, walk)
  } else if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) for (const item of value) visit(item, walk)
    else visitObject(value as Record<string, unknown>, walk)
  }
}

function visitObject(object: Record<string, unknown>, walk: Walk): void {
  // JSON.parse makes plain objects, so for…in sees exactly their own keys
  for (const key in object) {
    walk.keys++
    if (walk.escaped) checkText(key, walk)
    const value = object[key]
    if (key === '__proto__' || (key === 'constructor' && typeof value === 'object' && value !== null)) {
      walk.fault ??= fault('forbidden_key', 'a key that could change a prototype')
    }
    visit(value, walk)
  }
}

function checkText(text: string, walk: Walk): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    walk.fault ??= fault('invalid_character', 'a string holds NUL or a lone surrogate')
  }
}

function checkNumber(number: number, walk: Walk): void {
  // every double beyond the safe range is an integer, so this also catches what overflowed to infinity
  if (number > Number.MAX_SAFE_INTEGER || number < Number.MIN_SAFE_INTEGER) {
    walk.fault ??= fault('number_out_of_range', 'a number is beyond 2^53 - 1 and would not be kept exactly')
  } else if (number === 0 && Object.is(number, -0)) {
    walk.fault ??= fault('number_out_of_range', '-0 is not a number that JSON stores keep')
  }
}
