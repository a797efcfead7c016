// The event as the data plane holds it between the record and the request: context attributes, extensions as text, bytes.

import { hashMapOrder, stringHash } from '../java/java-hash-map.ts'

export interface DispatchedEvent {
  readonly specversion: '0.3' | '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly datacontenttype?: string
  /** `schemaurl` in version 0.3. */
  readonly dataschema?: string
  readonly subject?: string
  readonly time?: string
  readonly extensions: ReadonlyMap<string, string>
  /** Null: a tombstone or a CloudEvent without data. */
  readonly data: Buffer | null
}

export const withExtensions = (
  event: DispatchedEvent,
  added: Iterable<readonly [string, string]>,
): DispatchedEvent => ({
  ...event,
  extensions: new Map([...event.extensions, ...added]),
})

/** Extensions and other texts by name, in the order of the Java map that holds them. */
export const inMapOrder = (values: ReadonlyMap<string, string>): readonly (readonly [string, string])[] =>
  hashMapOrder(values.keys(), { hash: stringHash }).map((name) => [name, values.get(name) ?? ''] as const)
