// What a person wants to see of one turn, from the items of its session's stream: text as it grows, tools, what recovered
// after a fault, and the end.

import type { FollowItem } from './follow-session.ts'

export type TurnNews =
  | { readonly kind: 'text'; readonly text: string }
  /** The text of this round so far is void: it is being written anew. */
  | { readonly kind: 'restarted'; readonly attempt: number; readonly shown: boolean }
  | { readonly kind: 'tool-started'; readonly tool: string }
  | { readonly kind: 'tool-finished'; readonly tool: string; readonly status: string }
  | { readonly kind: 'model-retried'; readonly detail: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back'; readonly afterPosition: number }
  | {
      readonly kind: 'completed'
      readonly answer: string
      /** What was not yet given out as text. */
      readonly rest: string
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string }

export interface TurnView {
  take(item: FollowItem): readonly TurnNews[]
}

export function createTurnView(turnId: string): TurnView {
  let round = 1
  let attempt = 1
  let shown = '' // of this attempt of this round
  let away = false

  function takeDelta(delta: Extract<FollowItem, { kind: 'delta' }>): readonly TurnNews[] {
    const news: TurnNews[] = []
    if (delta.round > round) {
      if (shown !== '') news.push({ kind: 'text', text: '\n' })
      round = delta.round
      attempt = 1
      shown = ''
    }
    if (delta.attempt > attempt) {
      news.push({ kind: 'restarted', attempt: delta.attempt, shown: shown !== '' })
      attempt = delta.attempt
      shown = ''
    }
    shown += delta.text
    news.push({ kind: 'text', text: delta.text })
    return news
  }

  function takeEvent({ type, data }: Extract<FollowItem, { kind: 'event' }>): readonly TurnNews[] {
    const text = (name: string): string => (typeof data[name] === 'string' ? data[name] : '')
    if (type === 'conversation.turn.completed.v1') {
      const answer = text('answer')
      return [
        { kind: 'completed', answer, rest: answer.startsWith(shown) ? answer.slice(shown.length) : `\n${answer}` },
      ]
    }
    if (type === 'conversation.turn.failed.v1')
      return [{ kind: 'failed', reason: text('reason'), detail: text('detail') }]
    if (type !== 'conversation.turn.progressed.v1') return []
    const phase = text('phase')
    if (phase === 'tool-started') return [{ kind: 'tool-started', tool: text('tool') }]
    if (phase === 'tool-finished') return [{ kind: 'tool-finished', tool: text('tool'), status: text('status') }]
    return phase === 'model-retried' ? [{ kind: 'model-retried', detail: text('detail') }] : []
  }

  return {
    take: (item) => {
      if (item.kind === 'disconnected') {
        const first = !away
        away = true
        return first ? [{ kind: 'away', reason: item.reason }] : []
      }
      if (item.kind === 'connected') {
        const wasAway = away
        away = false
        return wasAway ? [{ kind: 'back', afterPosition: item.after }] : []
      }
      if (item.turnId !== turnId) return []
      return item.kind === 'delta' ? takeDelta(item) : takeEvent(item)
    },
  }
}
