// What a source brings and delivery does not want, although it is an event of the function. It becomes a dead letter, from where a
// person may send it on its way all the same: what comes from a lane is not asked.
//
//   too_old    the mark that says whether it was done is removed at some time (prune of outbox-sync). An event of that age may
//              have been done long ago, so it is not run again.
//   hop_limit  its chain is longer than any is meant to be (outbox/hops.ts).
//
// Its age is that of its attribute `time`: a KafkaSource does not tell when the log took a record, except for a raw one, to
// which it gives the record's own time as `time`. Emitted events have the time of their emission. Without a `time` nothing can be told.

import type { ErrorCode } from '../../errors/index.ts'
import { topicOf } from '../../events/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Incoming } from '../contract.ts'
import { defaultHopLimit, hopsOf } from '../outbox/hops.ts'

export interface Unwanted {
  readonly code: ErrorCode
  readonly message: string
}

interface Limits {
  readonly clock: Clock
  readonly hopLimit?: number
  readonly tooOldMs?: number
}

export function whyUnwanted(
  { event, topic }: Incoming,
  { clock, hopLimit = defaultHopLimit, tooOldMs = Number.POSITIVE_INFINITY }: Limits,
): Unwanted | undefined {
  // Word of a dead letter is not the event itself: it may well be old, and its chain long.
  if (topic?.endsWith('.dlq') === true) return undefined
  const hops = hopsOf(event)
  if (hops > hopLimit)
    return { code: 'hop_limit', message: `It is hop ${hops} of a chain of events, and ${hopLimit} is the limit` }
  if (topic !== undefined && topicOf(topic)?.compacted === true) return undefined // its records have no age
  const ageMs = clock.now() - Date.parse(event.time ?? '')
  if (ageMs <= tooOldMs || Number.isNaN(ageMs)) return undefined
  return { code: 'too_old', message: `It is of ${event.time}: nobody knows any more whether it was done` }
}
