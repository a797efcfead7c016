// When which record comes: the events of a file, at the distances of their own times, as records of the topics that a
// function's sources read.

import { partitionOfKey } from '../../shared/event-log/index.ts'
import { encodeRecord, topicOf, topicOfType, type CloudEvent } from '../../shared/events/index.ts'
import type { SourceRecord } from '../kafka-source/index.ts'
import type { Random } from './seeded-random.ts'

export interface Arrival {
  /** Milliseconds from the first event. */
  readonly atMs: number
  readonly record: SourceRecord
}

export interface Arrivals {
  readonly startMs: number
  readonly arrivals: readonly Arrival[]
  /** Events of topics that no source of the function reads. */
  readonly skipped: number
}

export interface ArrivalOptions {
  readonly topics: ReadonlySet<string>
  /** Draws the distance to an event without a time, in milliseconds. */
  readonly random: Random
}

const withoutTime = { from: 0, to: 50 }
const epochMs = Date.UTC(2026, 0, 1)

/** In the order of the file; an event never comes before the one above it. */
export function planArrivals(events: readonly CloudEvent[], { topics, random }: ArrivalOptions): Arrivals {
  const offsets = new Map<string, number>()
  const startMs = events.map(timeOf).find((timeMs) => timeMs !== undefined) ?? epochMs
  let atMs = 0
  const arrivals = events.flatMap((event): readonly Arrival[] => {
    const topic = topicOf(event.extensions['sluicetopic'] ?? '') ?? topicOfType(event.type)
    if (topic === undefined || !topics.has(topic.name)) return []
    const timeMs = timeOf(event)
    atMs = Math.max(atMs, timeMs === undefined ? atMs + random.between(withoutTime) : timeMs - startMs)
    const { sluicetopic: _, ...extensions } = event.extensions
    const key = extensions['partitionkey'] ?? extensions['key'] ?? event.subject ?? event.id
    const { headers, value, ...encoded } = encodeRecord({ ...event, extensions }, { key })
    const partition = partitionOfKey(encoded.key, topic.partitions)
    const place = `${topic.name}/${partition}`
    const offset = offsets.get(place) ?? 0
    offsets.set(place, offset + 1)
    const timestampMs = Math.round(startMs + atMs)
    return [{ atMs, record: { topic: topic.name, partition, offset, timestampMs, key: encoded.key, headers, value } }]
  })
  return { startMs, arrivals, skipped: events.length - arrivals.length }
}

function timeOf({ time }: CloudEvent): number | undefined {
  const timeMs = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(timeMs) ? undefined : timeMs
}
