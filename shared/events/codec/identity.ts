// Which events count as the same one. The inbox knows an event by (function, source, id).
//
// KafkaSource writes attributes as Latin-1 and turns what is above U+00FF into `?`, so two ids of one source may arrive as the
// same text and the second event would be taken for a repeat of the first. Where id or source hold a `?` or anything beyond
// ASCII, the position of the record in the log is appended to the id.
//
// E1  Appending is repeatable: an event that was stored with its position and is delivered again keeps its id.
// E2  An id at its limit is replaced by its hash before the position, so that the result is within the limit again.
// E3  Without a position (a plain HTTP client) nothing was mangled, and nothing is appended.

import { hash } from 'node:crypto'
import type { Draft } from './attributes.ts'
import type { Origin } from './decoded.ts'
import { eventLimits } from './event-limits.ts'

export function distinguishId(draft: Draft, { topic, partition, offset }: Origin): void {
  const { id, source } = draft
  if (id === undefined || id === '' || source === undefined) return
  if (topic === undefined || partition === undefined || offset === undefined) return
  if (!ambiguous.test(id) && !ambiguous.test(source)) return
  const position = `@${topic}/${partition}/${offset}`
  if (id.endsWith(position) || !fits(id)) return
  draft.id = fits(id + position) ? id + position : `sha256:${hash('sha256', id)}${position}`
}

const fits = (id: string): boolean => Buffer.byteLength(id) <= eventLimits.identifierBytes

// `?`, or anything that is not printable ASCII
const ambiguous = /[^\u0020-\u003e\u0040-\u007e]/

/** The position in the id that KafkaSource gives a raw record. Better than the extensions, which ceOverrides can overwrite. */
export function positionOf(id: string | undefined): Pick<Origin, 'partition' | 'offset'> {
  const [, partition, offset] = /^partition:(\d{1,10})\/offset:(\d{1,15})$/.exec(id ?? '') ?? []
  return partition === undefined || offset === undefined ? {} : { partition: Number(partition), offset: Number(offset) }
}

/** The id of a raw record: KafkaSource's own names no topic, and several topics may share a source's name. */
export const rawId = ({ topic, partition, offset }: Origin, id: string | undefined): string | undefined =>
  topic === undefined || partition === undefined || offset === undefined
    ? id
    : `${topic}/partition:${partition}/offset:${offset}`
