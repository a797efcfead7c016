// A Kubernetes object as somebody wrote it: its values, and where in which file they stand.

import type { Document, LineCounter } from 'yaml'

export type Path = readonly (string | number)[]
export type JsonObject = Readonly<Record<string, unknown>>

export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

export interface Manifest {
  readonly file: string
  /** Position among the documents of its file, from 0. */
  readonly document: number
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly value: JsonObject
  /** Where the value at this path stands, or the closest thing around it that exists. */
  place(path: Path): Place
}

export interface ManifestOrigin {
  readonly file: string
  readonly document: number
  readonly node: Document
  readonly lines: LineCounter
  /** Where the object begins within the document: `['items', 2]` in a List. */
  readonly within: Path
}

export function manifestOf(value: JsonObject, { file, document, node, lines, within }: ManifestOrigin): Manifest {
  return {
    file,
    document,
    apiVersion: textAt(value, ['apiVersion']) ?? '',
    kind: textAt(value, ['kind']) ?? '',
    name: textAt(value, ['metadata', 'name']) ?? '',
    namespace: textAt(value, ['metadata', 'namespace']) ?? 'default',
    value,
    place: (path) => ({ file, ...lineOf(node, lines, [...within, ...path]) }),
  }
}

function lineOf(node: Document, lines: LineCounter, path: Path): { readonly line: number; readonly column: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = offsetOf(node, path.slice(0, length))
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset)
      return { line, column: col }
    }
  }
  return { line: 1, column: 1 }
}

/** The key's own place where there is one: `retry:` rather than the 3 behind it. */
function offsetOf(node: Document, path: Path): number | undefined {
  const last = path.at(-1)
  const parent = path.length <= 1 ? node.contents : node.getIn(path.slice(0, -1), true)
  if (typeof last === 'string' && isMap(parent)) {
    const pair = parent.items.find(({ key }) => key.value === last)
    return pair?.key.range?.[0]
  }
  const found = path.length === 0 ? node.contents : node.getIn(path, true)
  return hasRange(found) ? found.range[0] : undefined
}

interface MapOfScalars {
  readonly items: readonly {
    readonly key: { readonly value: unknown; readonly range?: readonly [number, number, number] }
  }[]
}

const isMap = (node: unknown): node is MapOfScalars =>
  isObject(node) &&
  Array.isArray(node['items']) &&
  node['items'].every((item) => isObject(item) && isObject(item['key']))

const hasRange = (node: unknown): node is { readonly range: readonly [number, number, number] } =>
  isObject(node) && Array.isArray(node['range'])

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const step of path) {
    if (typeof step === 'number') found = Array.isArray(found) ? found[step] : undefined
    else found = isObject(found) && Object.hasOwn(found, step) ? found[step] : undefined
  }
  return found
}

export function textAt(value: unknown, path: Path): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

export function numberAt(value: unknown, path: Path): number | undefined {
  const found = valueAt(value, path)
  return typeof found === 'number' ? found : undefined
}

export function objectAt(value: unknown, path: Path): JsonObject {
  const found = valueAt(value, path)
  return isObject(found) ? found : {}
}

export function listAt(value: unknown, path: Path): readonly unknown[] {
  const found = valueAt(value, path)
  return Array.isArray(found) ? (found as readonly unknown[]) : []
}
