// JSON as Jackson reads it into a tree and writes it again: no white space, integers as they were, other numbers through a
// Java double (1.00 becomes 1.0), of equal names the last value at the first one's place, what follows the first value not
// looked at. Works on the text, because JavaScript numbers would lose digits.

import { isUtf8 } from 'node:buffer'
import { javaDouble } from './java-number.ts'

export type JsonNode =
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  /** As Jackson prints it. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean' | 'null'; readonly text: string }

/** StreamReadConstraints of Jackson 2.15. */
const limits = { depth: 1_000, numberCharacters: 1_000 }
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Undefined: Jackson would throw. */
export function parseJackson(bytes: Buffer): JsonNode | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = (bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes).toString('utf8')
  try {
    return readValue({ text, at: 0 }, 1)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function printJackson(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${[...node.members].map(([name, value]) => `${quoted(name)}:${printJackson(value)}`).join(',')}}`
    case 'array':
      return `[${node.items.map(printJackson).join(',')}]`
    case 'string':
      return quoted(node.text)
    default:
      return node.text
  }
}

interface Cursor {
  readonly text: string
  at: number
}

const tokens = {
  space: /[ \t\r\n]*/y,
  string: /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y,
  number: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  word: /true|false|null/y,
}

function take(cursor: Cursor, token: RegExp): string | undefined {
  token.lastIndex = cursor.at
  const [found] = token.exec(cursor.text) ?? []
  cursor.at += found?.length ?? 0
  return found
}

/** The next character that is not white space, when it is `wanted`. */
function takePunctuation(cursor: Cursor, wanted: string): boolean {
  take(cursor, tokens.space)
  if (cursor.text[cursor.at] !== wanted) return false
  cursor.at += 1
  return true
}

function readValue(cursor: Cursor, depth: number): JsonNode {
  if (depth > limits.depth) throw new SyntaxError('nested too deeply')
  if (takePunctuation(cursor, '{')) return { kind: 'object', members: readMembers(cursor, depth) }
  if (takePunctuation(cursor, '[')) return { kind: 'array', items: readItems(cursor, depth) }
  const string = take(cursor, tokens.string)
  if (string !== undefined) return { kind: 'string', text: JSON.parse(string) as string }
  const word = take(cursor, tokens.word)
  if (word !== undefined) return { kind: word === 'null' ? 'null' : 'boolean', text: word }
  const number = take(cursor, tokens.number)
  if (number === undefined || number.length > limits.numberCharacters) throw new SyntaxError('no value')
  return { kind: 'number', text: printedNumber(number) }
}

function readMembers(cursor: Cursor, depth: number): ReadonlyMap<string, JsonNode> {
  const members = new Map<string, JsonNode>()
  if (takePunctuation(cursor, '}')) return members
  do {
    take(cursor, tokens.space)
    const name = take(cursor, tokens.string)
    if (name === undefined || !takePunctuation(cursor, ':')) throw new SyntaxError('no member')
    members.set(JSON.parse(name) as string, readValue(cursor, depth + 1))
  } while (takePunctuation(cursor, ','))
  if (!takePunctuation(cursor, '}')) throw new SyntaxError('an object does not end')
  return members
}

function readItems(cursor: Cursor, depth: number): readonly JsonNode[] {
  const items: JsonNode[] = []
  if (takePunctuation(cursor, ']')) return items
  do items.push(readValue(cursor, depth + 1))
  while (takePunctuation(cursor, ','))
  if (!takePunctuation(cursor, ']')) throw new SyntaxError('an array does not end')
  return items
}

function printedNumber(text: string): string {
  if (!/[.eE]/.test(text)) return text === '-0' ? '0' : text
  const value = Number(text)
  return Number.isFinite(value) ? javaDouble(value) : `"${javaDouble(value)}"` // QUOTE_NON_NUMERIC_NUMBERS
}

/** As JSON.stringify, but hex digits in upper case and half a surrogate pair left as it is. */
const quoted = (text: string): string =>
  `"${text.replace(/["\\\x00-\x1f]/g, (character) => short[character] ?? `\\u00${hexOf(character)}`)}"`

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

const hexOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()
