// Headers as JSON: [[name, value], …]. Text stays readable in psql; bytes that are not UTF-8 travel as base64.

import { isUtf8 } from 'node:buffer'
import type { AppendRecord } from '../event-log.ts'

type StoredValue = string | null | { readonly base64: string }
export type StoredHeaders = readonly (readonly [string, StoredValue])[]

export const storeHeaders = (headers: AppendRecord['headers']): string =>
  JSON.stringify(headers.map(([name, value]): StoredHeaders[number] => [name, storedValue(value)]))

const storedValue = (value: Buffer | null): StoredValue =>
  value === null ? null : isUtf8(value) ? value.toString('utf8') : { base64: value.toString('base64') }

export const loadHeaders = (headers: StoredHeaders): AppendRecord['headers'] =>
  headers.map(([name, value]) => [name, loadedValue(value)])

function loadedValue(value: StoredValue): Buffer | null {
  if (value === null) return null
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value.base64, 'base64')
}
