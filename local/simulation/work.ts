// An event that a modelled function took, and how it is called in the timeline.

import type { DecodedEvent } from '../../shared/events/index.ts'
import type { EventFunction } from '../../shared/function/index.ts'
import type { SinkRequest } from '../kafka-source/index.ts'

export interface Work {
  /** Source and id. */
  readonly identity: string
  /** Its id and its key, where it has one. */
  readonly names: readonly string[]
  /** Of its lane. */
  readonly key: string
  /** Topic and partition. */
  readonly place: string
  /** Its offset there. */
  readonly order: number
  readonly label: string
  readonly attempts: number
}

export function workOf(
  { event, topic = '', partition, offset, key }: DecodedEvent,
  { ordering }: Pick<EventFunction, 'ordering'>,
): Work {
  const identity = `${event.source}\n${event.id}`
  const place = `${topic}/${partition}`
  return {
    identity,
    names: key === undefined ? [event.id] : [event.id, key],
    key: ordering === 'key' ? (key ?? `partition:${place}`) : identity,
    place,
    order: offset ?? 0,
    attempts: 0,
    label: labelOf({ topic, partition, offset, key }),
  }
}

export function labelOfRequest({ headers }: SinkRequest): string {
  const value = (name: string): string | undefined => headers.find(([one]) => one === name)?.[1]
  const [partition, offset] = [value('ce-knativekafkapartition'), value('ce-knativekafkaoffset')]
  return labelOf({ topic: value('ce-sluicetopic') ?? '', partition, offset, key: value('ce-partitionkey') })
}

interface Labelled {
  readonly topic: string
  readonly partition: number | string | undefined
  readonly offset: number | string | undefined
  readonly key: string | undefined
}

const labelOf = ({ topic, partition, offset, key }: Labelled): string =>
  `${topic}/${partition}#${offset}${key === undefined ? '' : ` (${key})`}`
