// What the CloudEvents SDK for Java accepts as context attributes (4.0.1). A record that fails here is handled as raw.
// Empty `id` and `type` pass: the SDK asks only for their presence. Extension names may have any length, even none.

import { javaDateTime } from '../java/java-time.ts'
import { isJavaUri } from '../java/java-uri.ts'
import type { DispatchedEvent } from './dispatched-event.ts'

export type SpecVersion = DispatchedEvent['specversion']

/** Of each version, in the order in which the SDK reads an envelope. */
export const attributeNames: Readonly<
  Record<SpecVersion, { readonly required: readonly string[]; readonly optional: readonly string[] }>
> = {
  '1.0': { required: ['id', 'source', 'type'], optional: ['datacontenttype', 'dataschema', 'subject', 'time'] },
  '0.3': {
    required: ['id', 'source', 'type'],
    optional: ['datacontenttype', 'datacontentencoding', 'schemaurl', 'subject', 'time'],
  },
}

export const isSpecVersion = (text: string | undefined): text is SpecVersion => text === '1.0' || text === '0.3'

export interface EventParts {
  readonly specversion: SpecVersion
  /** Attributes and extensions by name, without `specversion`. */
  readonly values: ReadonlyMap<string, string>
  readonly data: Buffer | null
}

/** Builds the event, or says that the SDK would throw. */
export function buildEvent({ specversion, values, data }: EventParts): DispatchedEvent | undefined {
  const { required, optional } = attributeNames[specversion]
  const own = new Set([...required, ...optional])
  const extensions = new Map([...values].filter(([name]) => !own.has(name)))
  if ([...extensions.keys()].some((name) => !isExtensionName(name))) return undefined
  const [id, source, type] = ['id', 'source', 'type'].map((name) => values.get(name))
  if (id === undefined || source === undefined || type === undefined || !isJavaUri(source)) return undefined
  const dataschema = values.get(specversion === '1.0' ? 'dataschema' : 'schemaurl')
  if (dataschema !== undefined && !isJavaUri(dataschema)) return undefined
  const timeText = values.get('time')
  const time = timeText === undefined ? undefined : javaDateTime(timeText)
  if (timeText !== undefined && time === undefined) return undefined
  return {
    specversion,
    id,
    source,
    type,
    ...present('datacontenttype', values.get('datacontenttype')),
    ...present('dataschema', dataschema),
    ...present('subject', values.get('subject')),
    ...present('time', time),
    extensions,
    data,
  }
}

/** The same event in version 1.0, with extensions that have the names of attributes taken for these. */
export function rebuildEvent(event: DispatchedEvent): DispatchedEvent | undefined {
  const { specversion: _, extensions, data, ...attributes } = event
  if (extensions.has('specversion')) return undefined // the builder refuses to be told its version
  return buildEvent({ specversion: '1.0', values: new Map([...Object.entries(attributes), ...extensions]), data })
}

export const isExtensionName = (name: string): boolean => /^[a-z0-9]*$/.test(name)

const present = <N extends string>(name: N, value: string | undefined): { readonly [K in N]?: string } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [K in N]: string })
