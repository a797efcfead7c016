// The attributes of an event on their way in, whatever carries them (HTTP headers, record headers, a JSON envelope), and the
// rules that all of them obey. A draft becomes an event only when no rule is broken.
//
// A1  specversion is 1.0; id, source and type are there and not empty (a KafkaSource passes empty ones on).
// A2  Names are `[a-z0-9]+` (CloudEvents 1.0 §Naming Conventions); `data` is not an attribute.
// A3  No value holds control characters but tab: a KafkaSource could never send it on, nor could its dead-letter sink.
// A4  Messages name the rule and the known attribute, never a value.

import type { CloudEvent } from '../cloud-event.ts'
import { eventLimits } from './event-limits.ts'
import { isTimestamp } from './timestamp.ts'

export interface Draft {
  specversion: string | undefined
  id: string | undefined
  source: string | undefined
  type: string | undefined
  subject: string | undefined
  time: string | undefined
  datacontenttype: string | undefined
  dataschema: string | undefined
  readonly extensions: Record<string, string>
  extensionCount: number
  /** Characters of all names and values. */
  length: number
  /** The first broken rule. */
  fault: string | undefined
}

export const createDraft = (): Draft => ({
  specversion: undefined,
  id: undefined,
  source: undefined,
  type: undefined,
  subject: undefined,
  time: undefined,
  datacontenttype: undefined,
  dataschema: undefined,
  extensions: {},
  extensionCount: 0,
  length: 0,
  fault: undefined,
})

export function setAttribute(draft: Draft, name: string, value: string): void {
  draft.length += name.length + value.length
  if (unsendable.test(value)) draft.fault ??= 'an attribute holds a control character'
  // One case a name: a store under a name that is only known at run time costs more than the rest of this function.
  switch (name) {
    case 'specversion':
      draft.specversion = value
      return
    case 'id':
      draft.id = value
      return
    case 'source':
      draft.source = value
      return
    case 'type':
      draft.type = value
      return
    case 'subject':
      draft.subject = value
      return
    case 'time':
      draft.time = value
      return
    case 'datacontenttype':
      draft.datacontenttype = value
      return
    case 'dataschema':
      draft.dataschema = value
      return
    default:
      setExtension(draft, name, value)
  }
}

function setExtension(draft: Draft, name: string, value: string): void {
  if (name === 'data' || !extensionName.test(name) || name.length > eventLimits.extensionNameLength) {
    draft.fault ??= `an extension name is not [a-z0-9]{1,${eventLimits.extensionNameLength}}, or is data`
    return
  }
  if (!Object.hasOwn(draft.extensions, name)) draft.extensionCount++
  draft.extensions[name] = value
}

const extensionName = /^[a-z0-9]+$/
// everything below space but tab, and DEL: what no HTTP header can carry (RFC 9110 §5.5)
const unsendable = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** The first broken rule, or undefined when the draft can become an event. */
export function faultOf(draft: Draft): string | undefined {
  if (draft.specversion !== '1.0') return 'specversion is not 1.0'
  const identifiers =
    faultOfIdentifier('id', draft.id) ??
    faultOfIdentifier('source', draft.source) ??
    faultOfIdentifier('type', draft.type)
  if (identifiers !== undefined) return identifiers
  if (draft.time !== undefined && !isTimestamp(draft.time)) return 'time is not RFC 3339 with a zone'
  if (draft.extensionCount > eventLimits.extensions) return `more than ${eventLimits.extensions} extensions`
  if (draft.length > eventLimits.attributeLength)
    return `more than ${eventLimits.attributeLength} characters of attributes`
  return draft.fault
}

function faultOfIdentifier(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return `${name} is missing or empty`
  const { identifierBytes } = eventLimits
  // a character is at most three bytes, so most values need no count
  return value.length * 3 > identifierBytes && Buffer.byteLength(value) > identifierBytes
    ? `${name} is longer than ${identifierBytes} bytes`
    : undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The event of a draft without fault. Optional attributes that came empty are left out: the specification has no empty ones. */
export function toEvent(draft: Draft, data: unknown): CloudEvent {
  const { id = '', source = '', type = '', subject, time, datacontenttype, dataschema, extensions } = draft
  const event: Mutable<CloudEvent> = { specversion: '1.0', id, source, type, data, extensions }
  if (subject !== undefined && subject !== '') event.subject = subject
  if (time !== undefined) event.time = time
  if (datacontenttype !== undefined && datacontenttype !== '') event.datacontenttype = datacontenttype
  if (dataschema !== undefined && dataschema !== '') event.dataschema = dataschema
  return event
}

/** Every attribute of an event as text, `specversion` first. The order is fixed, so that the same event gives the same bytes. */
export function* attributesOf(event: CloudEvent): Generator<readonly [name: string, value: string]> {
  yield ['specversion', event.specversion]
  yield ['id', event.id]
  yield ['source', event.source]
  yield ['type', event.type]
  if (event.subject !== undefined) yield ['subject', event.subject]
  if (event.time !== undefined) yield ['time', event.time]
  if (event.dataschema !== undefined) yield ['dataschema', event.dataschema]
  for (const name of Object.keys(event.extensions).toSorted()) yield [name, event.extensions[name] ?? '']
}
