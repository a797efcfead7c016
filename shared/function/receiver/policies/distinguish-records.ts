// A policy for functions that take any event on their topics: each record is an event of its own. Two functions that gave up
// the same event left two records with one source and id, and the inbox would take the second for a repeat.
//
// The position of the record is appended to the id, once: what comes back from a lane has it already. The producer's id is
// kept in the extension `sluiceid`.

import { createHash } from 'node:crypto'
import { eventLimits } from '../../../events/index.ts'
import type { Policy } from '../pipeline.ts'

/** Holds the id that the producer gave. */
const originalId = 'sluiceid'

export const distinguishRecords =
  (): Policy =>
  (_deps, next) =>
  ({ event, ...incoming }, reception) => {
    const { topic, extensions } = { ...event, ...incoming }
    const { knativekafkapartition: partition, knativekafkaoffset: offset } = extensions
    if (topic === undefined || partition === undefined || offset === undefined || extensions[originalId] !== undefined)
      return next({ ...incoming, event }, reception)
    const position = `@${topic}/${partition}/${offset}`
    const whole = event.id.endsWith(position) ? event.id : `${event.id}${position}`
    const fits = Buffer.byteLength(whole) <= eventLimits.identifierBytes
    const id = fits ? whole : `sha256:${createHash('sha256').update(event.id).digest('hex')}${position}`
    reception.id = id
    return next(
      { ...incoming, event: { ...event, id, extensions: { ...extensions, [originalId]: event.id } } },
      reception,
    )
  }
