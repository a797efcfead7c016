// An event with everything that delivery stores about it, worked out once when it arrives. Its identity is (source, id); the
// decoder has made the id unambiguous (shared/events/codec/identity.ts).

import { dataHash, toJsonFormat } from '../../events/index.ts'
import { currentTrace, formatTraceparent, newTrace } from '../../telemetry/index.ts'
import type { DeliveryContract, Incoming } from '../contract.ts'
import { laneKeyOf } from './lane-key.ts'

export interface ReceivedEvent {
  readonly source: string
  readonly id: string
  /** Of its lane. */
  readonly key: string
  readonly dataHash: Buffer
  readonly tenant: string
  readonly raw: Buffer
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: number | undefined
  readonly recordKey: string | undefined
  /** traceparent that later runs continue. */
  readonly trace: string
  /** The event in the JSON format of CloudEvents. Made when asked for: most events are never parked. */
  readonly json: () => string
}

export function receivedEvent(incoming: Incoming, { ordering }: Pick<DeliveryContract, 'ordering'>): ReceivedEvent {
  const { event, raw, topic, partition, offset, key, tenant = '', trace } = incoming
  return {
    source: event.source,
    id: event.id,
    key: laneKeyOf(incoming, ordering),
    dataHash: dataHash(event),
    tenant,
    raw,
    topic,
    partition,
    offset,
    recordKey: key,
    trace: formatTraceparent(currentTrace() ?? trace ?? newTrace()),
    json: () => JSON.stringify(toJsonFormat(event)),
  }
}
