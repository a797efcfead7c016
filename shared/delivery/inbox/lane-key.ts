// The key of an event's lane: events of one lane run one at a time, in the order in which they were accepted.

import { createHash } from 'node:crypto'
import type { DeliveryContract, Incoming } from '../contract.ts'

/**
 * The event's partition key, else its partition: the finest order that the source promises. Without either, or with
 * `ordering: 'none'`, a lane per event. The decoder has bounded the key (eventLimits.keyBytes).
 */
export function laneKeyOf({ event, topic, partition, key }: Incoming, ordering: DeliveryContract['ordering']): string {
  if (ordering === 'key' && key !== undefined) return key
  if (ordering === 'key' && topic !== undefined && partition !== undefined) return `partition:${topic}/${partition}`
  return `event:${createHash('sha256').update(`${event.source}\n${event.id}`).digest('hex')}`
}
