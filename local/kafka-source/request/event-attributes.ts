// What the CloudEvents SDK for Java accepts as context attributes (4.0.1). A record that fails here is handled as raw.
// Empty `id` and `type` pass: the SDK asks only for their presence.

import type { DispatchedEvent } from './dispatched-event.ts'

const required = ['id', 'source', 'type'] as const

/** Builds the event from attribute texts by name, or says that the SDK would throw. */
export function eventOfAttributes(
  attributes: ReadonlyMap<string, string>,
  data: Buffer | null,
): DispatchedEvent | undefined {
  const specversion = attributes.get('specversion')
  if (specversion !== '1.0' && specversion !== '0.3') return undefined
  const schemaName = specversion === '1.0' ? 'dataschema' : 'schemaurl'
  const own = new Set(['specversion', ...required, 'datacontenttype', schemaName, 'subject', 'time'])
  const extensions = new Map([...attributes].filter(([name]) => !own.has(name)))
  const [id, source, type] = required.map((name) => attributes.get(name))
  if (id === undefined || source === undefined || type === undefined || !isUri(source)) return undefined
  if ([...extensions.keys()].some((name) => !/^[a-z0-9]+$/.test(name))) return undefined
  const schema = attributes.get(schemaName)
  if (schema !== undefined && !isUri(schema)) return undefined
  const timeText = attributes.get('time')
  const time = timeText === undefined ? undefined : offsetDateTime(timeText)
  if (timeText !== undefined && time === undefined) return undefined
  return {
    specversion,
    id,
    source,
    type,
    ...present('datacontenttype', attributes.get('datacontenttype')),
    ...present('dataschema', schema),
    ...present('subject', attributes.get('subject')),
    ...present('time', time),
    extensions,
    data,
  }
}

const present = <N extends string>(name: N, value: string | undefined): { readonly [K in N]?: string } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [K in N]: string })

/** java.net.URI in the cases that occur: no spaces, controls or delimiters, whole percent escapes, one fragment at most. */
const isUri = (text: string): boolean =>
  /^(?:[^\s"<>\\^`{|}%#\p{Cc}]|%[0-9a-f]{2})*(?:#(?:[^\s"<>\\^`{|}%#\p{Cc}]|%[0-9a-f]{2})*)?$/iu.test(text)

const isoOffsetDateTime =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)$/i

/** java.time.OffsetDateTime: what parses is printed with seconds, without trailing zeros, and with Z for a zero offset. */
function offsetDateTime(text: string): string | undefined {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction = '', zone] =
    isoOffsetDateTime.exec(text) ?? []
  if (zone === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  const digits = fraction.replace(/0+$/, '')
  const offset = /^(?:z|[+-]00:00(?::00)?)$/i.test(zone) ? 'Z' : zone
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${digits === '' ? '' : `.${digits}`}${offset}`
}
