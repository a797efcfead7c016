// What travels on a session's channel besides the log: hints that durable events exist, and the text of an answer while it
// is being written. A lost signal delays a reader; nothing is lost with it.

/** The channel of one conversation. Neither tenants nor session ids hold a colon. */
export const sessionChannel = (tenant: string, sessionId: string): string => `session:${tenant}:${sessionId}`

/** The one channel on which every conversation-worker hears that a turn is to stop. */
export const stopChannel = 'turn-stops'

export type SessionSignal =
  /** Durable events up to `position` can be read. */
  | { readonly kind: 'durable'; readonly position: number }
  /**
   * A piece of the answer of a turn. A higher `round` follows the text before it; within a round a higher `attempt` replaces
   * it; `index` counts the pieces of an attempt from 0.
   */
  | {
      readonly kind: 'delta'
      readonly turn_id: string
      readonly round: number
      readonly attempt: number
      readonly index: number
      readonly text: string
    }

export interface TurnStop {
  readonly tenant: string
  readonly session_id: string
}

/** The signal, or nothing for text that is none: a channel is shared with whoever reaches the store. */
export function parseSessionSignal(text: string): SessionSignal | undefined {
  const value = parse(text)
  if (value['kind'] === 'durable') return Number.isSafeInteger(value['position']) ? (value as SessionSignal) : undefined
  const numbers = ['round', 'attempt', 'index'].every((name) => Number.isSafeInteger(value[name]))
  const texts = typeof value['turn_id'] === 'string' && typeof value['text'] === 'string'
  return value['kind'] === 'delta' && numbers && texts ? (value as SessionSignal) : undefined
}

export function parseTurnStop(text: string): TurnStop | undefined {
  const { tenant, session_id } = parse(text) as { readonly tenant?: unknown; readonly session_id?: unknown }
  return typeof tenant === 'string' && typeof session_id === 'string' ? { tenant, session_id } : undefined
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
