// How many functions a chain of events has passed. An event that is emitted for another one carries one hop more than that one,
// in the extension `sluicehops`; an event that nothing caused carries none. Functions whose events cause each other for ever
// end so: what would go beyond the limit is refused, and the event whose handler wanted it becomes a dead letter.

import type { CloudEvent } from '../../events/index.ts'

export const hopsExtension = 'sluicehops'

/** The longest chain that is meant here, a turn of an agent that asks for tools 64 times, makes 130. */
export const defaultHopLimit = 200

/** Where in its chain an emitted event stands. */
export interface Chain {
  readonly hops: number
  /** Most hops. */
  readonly limit: number
}

/** 0 also for what is no number: then somebody else uses the name. */
export function hopsOf({ extensions }: Pick<CloudEvent, 'extensions'>): number {
  const text = extensions[hopsExtension] ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : 0
}

/** Of events that are emitted for this one. */
export const chainAfter = (
  event: CloudEvent,
  { hopLimit = defaultHopLimit }: { readonly hopLimit?: number },
): Chain => ({
  hops: hopsOf(event) + 1,
  limit: hopLimit,
})
