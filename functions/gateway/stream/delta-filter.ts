// Which pieces of an answer a client should still see. A zombie worker, or one that was only slow, may send pieces of an
// attempt that another has replaced, or of a turn that has ended.

import type { SessionSignal } from '../../../shared/events/index.ts'
import type { ReadEvent } from '../session-queries.ts'

type Delta = Extract<SessionSignal, { kind: 'delta' }>

export interface DeltaFilter {
  /** A durable event was sent. */
  passed(event: Pick<ReadEvent, 'type' | 'turn_id'>): void
  /** Has the start or the end of the turn been sent, or a piece of it? */
  knows(turnId: string): boolean
  admits(delta: Delta): boolean
}

type Progress = { readonly round: number; readonly attempt: number; readonly index: number } | 'ended'

/** Turns remembered: old ones send no pieces any more. */
const turnsKept = 100

const ends = new Set(['conversation.turn.completed.v1', 'conversation.turn.failed.v1'])

export function createDeltaFilter(): DeltaFilter {
  const turns = new Map<string, Progress>()

  function note(turnId: string, progress: Progress): void {
    turns.delete(turnId)
    turns.set(turnId, progress)
    const [oldest] = turns.keys()
    if (turns.size > turnsKept && oldest !== undefined) turns.delete(oldest)
  }

  return {
    passed: ({ type, turn_id: turnId }) => {
      if (ends.has(type)) note(turnId, 'ended')
      else if (type === 'conversation.turn.started.v1') note(turnId, { round: 0, attempt: 0, index: -1 })
    },
    knows: (turnId) => turns.has(turnId),
    admits: ({ turn_id: turnId, round, attempt, index }) => {
      const last = turns.get(turnId) ?? { round: 0, attempt: 0, index: -1 }
      if (last === 'ended' || !isLater([round, attempt, index], [last.round, last.attempt, last.index])) return false
      note(turnId, { round, attempt, index })
      return true
    },
  }
}

type Place = readonly [round: number, attempt: number, index: number]

function isLater(place: Place, last: Place): boolean {
  const at = place.findIndex((value, index) => value !== last[index])
  return at >= 0 && (place[at] ?? 0) > (last[at] ?? 0)
}
