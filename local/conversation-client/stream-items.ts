// What a client of a session's stream sees, as values: durable events with their positions, and pieces of answers.

import type { EventSourceMessage } from 'eventsource-parser'

export interface DurableEvent {
  readonly kind: 'event'
  readonly position: number
  readonly eventId: string
  readonly type: string
  readonly turnId: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A higher `round` follows the text before it; within a round a higher `attempt` replaces it. */
export interface Delta {
  readonly kind: 'delta'
  readonly turnId: string
  readonly round: number
  readonly attempt: number
  readonly index: number
  readonly text: string
}

export type StreamItem = DurableEvent | Delta

/** Undefined for a message that is neither; a newer gateway may send more kinds. */
export function streamItemOf({ id, event = '', data }: EventSourceMessage): StreamItem | undefined {
  const value = JSON.parse(data) as Readonly<Record<string, unknown>>
  const turnId = textOf(value['turn_id'])
  if (event === 'delta') {
    const { round, attempt, index, text } = value
    return {
      kind: 'delta',
      turnId,
      round: Number(round),
      attempt: Number(attempt),
      index: Number(index),
      text: textOf(text),
    }
  }
  if (id === undefined) return undefined
  const content = value['data']
  return {
    kind: 'event',
    position: Number(id),
    eventId: textOf(value['event_id']),
    type: event,
    turnId,
    data: typeof content === 'object' && content !== null ? (content as Readonly<Record<string, unknown>>) : {},
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
