// A client of a session's stream that keeps everything it saw and checks what every client is promised: positions without a
// gap or a repeat, over every reconnect.

import assert from 'node:assert/strict'
import type { Delta, DurableEvent, FollowItem } from '../../../local/conversation-client/index.ts'
import { until } from '../../support/index.ts'

export interface Watch {
  readonly events: readonly DurableEvent[]
  readonly deltas: readonly Delta[]
  /** The events for people: `turn.progressed tool-finished calculate succeeded`. */
  story(): readonly string[]
  /** How often the stream was opened. */
  readonly connects: () => number
  /** Resolves with the first event, past or future, that fits. */
  event(what: string, fits: (event: DurableEvent) => boolean, limitMs?: number): Promise<DurableEvent>
  /** Resolves with the answer of the turn. */
  completed(turnId: string, limitMs?: number): Promise<string>
  stop(): Promise<void>
}

export function watchSession(follow: (after: number, signal: AbortSignal) => AsyncIterable<FollowItem>): Watch {
  const abort = new AbortController()
  const events: DurableEvent[] = []
  const deltas: Delta[] = []
  let connects = 0
  let fault: Error | undefined

  const following = (async () => {
    for await (const item of follow(0, abort.signal)) {
      if (item.kind === 'connected') connects += 1
      if (item.kind === 'delta') deltas.push(item)
      if (item.kind !== 'event') continue
      assert.equal(item.position, events.length + 1, 'durable events come without a gap or a repeat')
      events.push(item)
    }
  })().catch((error: Error) => (fault = error))

  const event: Watch['event'] = (what, fits, limitMs = 20_000) =>
    until(
      what,
      () => {
        if (fault !== undefined) throw fault
        return events.find(fits)
      },
      { limitMs },
    )

  return {
    story: () => events.map(lineOf),
    events,
    deltas,
    connects: () => connects,
    event,
    completed: async (turnId, limitMs) => {
      const ends = ['conversation.turn.completed.v1', 'conversation.turn.failed.v1']
      const end = await event('the turn has ended', (one) => one.turnId === turnId && ends.includes(one.type), limitMs)
      assert.equal(end.type, ends[0], JSON.stringify(end.data))
      return String(end.data['answer'])
    },
    stop: async () => {
      abort.abort()
      await following
      if (fault !== undefined) throw fault
    },
  }
}

function lineOf({ type, data }: DurableEvent): string {
  const details = ['phase', 'tool', 'status'].map((name) => data[name]).filter((value) => typeof value === 'string')
  return [type.replace(/^conversation\.|\.v1$/g, ''), ...details].join(' ')
}
