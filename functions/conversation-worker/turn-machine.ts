// The life of one turn, as a pure function: (state, what happened) → what follows. Only the conversation-worker applies it,
// in the transaction that holds the session's row; everything else reads.
//
//  what happened            accepted              queued      thinking              awaiting-tools        completed, failed
//  message, idle session    → thinking            –           –                     –                     –
//  message, busy: enqueue   → queued              –           –                     –                     –
//  message, busy: interrupt → thinking (others    –           –                     –                     –
//                             stop first)
//  message, busy: reject    → failed turn_running –           –                     –                     –
//  message, paused session  → queued              –           –                     –                     –
//  place came               –                     → thinking  –                     –                     –
//  model answered           –                     –           → completed           –                     –
//  model asked for tools    –                     –           → awaiting-tools ¹    –                     –
//  last call finished       –                     –           –                     → thinking            –
//  other call finished      –                     –           –                     stays                 –
//  failed, stopped          → failed              → failed    → failed              → failed              –
//
//  ¹ → thinking again when every call was answered on the spot (unknown tool, bad JSON); → failed `tool_rounds_exceeded` when
//    the rounds are used up.
//  – means: nothing happens. Repeated and late events end there, so a transition is applied at most once.
//
// M1  A turn that has ended never changes.
// M2  → thinking is the only way to a call of the model, and leaving `thinking` or `awaiting-tools` frees the session.
// M3  Whatever leads to `failed` from `awaiting-tools` closes the open calls, so that the next request is well-formed.

export type TurnState = 'accepted' | 'queued' | 'thinking' | 'awaiting-tools' | 'completed' | 'failed'

export type Strategy = 'enqueue' | 'interrupt' | 'reject'

/** Why a turn failed: a stop that someone asked for, a limit, or the code of the error that ended it. */
export type StopCause = 'interrupted' | 'cancelled'

export type TurnInput =
  | { readonly kind: 'message'; readonly session: 'idle' | 'busy' | 'paused'; readonly strategy: Strategy }
  | { readonly kind: 'place-came' }
  | { readonly kind: 'answered' }
  | { readonly kind: 'asked-for-tools'; readonly open: number; readonly rounds: number; readonly maxRounds: number }
  | { readonly kind: 'call-finished'; readonly open: number }
  | { readonly kind: 'ended'; readonly reason: string }

/** What follows, and where it leads: queue → queued · start, think-again → thinking · wait-for-tools → awaiting-tools. */
export type Transition =
  | { readonly kind: 'none' }
  | { readonly kind: 'queue' }
  /** `stopOthers`: every other open turn of the session ends as interrupted first. */
  | { readonly kind: 'start'; readonly stopOthers: boolean }
  | { readonly kind: 'wait-for-tools' }
  | { readonly kind: 'think-again' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'fail'; readonly reason: string; readonly closeCalls: boolean }

const none: Transition = { kind: 'none' }

export function transition(state: TurnState, input: TurnInput): Transition {
  if (hasEnded(state)) return none
  switch (input.kind) {
    case 'message':
      return state === 'accepted' ? admit(input) : none
    case 'place-came':
      return state === 'queued' ? { kind: 'start', stopOthers: false } : none
    case 'answered':
      return state === 'thinking' ? { kind: 'complete' } : none
    case 'asked-for-tools':
      return state === 'thinking' ? askTools(input) : none
    case 'call-finished':
      return state === 'awaiting-tools' && input.open === 0 ? { kind: 'think-again' } : none
    default:
      return { kind: 'fail', reason: input.reason, closeCalls: state === 'awaiting-tools' }
  }
}

export const hasEnded = (state: TurnState): boolean => state === 'completed' || state === 'failed'

export const isRunning = (state: TurnState): boolean => state === 'thinking' || state === 'awaiting-tools'

function admit({ session, strategy }: Extract<TurnInput, { kind: 'message' }>): Transition {
  if (session === 'idle') return { kind: 'start', stopOthers: false }
  if (session === 'paused') return { kind: 'queue' }
  if (strategy === 'interrupt') return { kind: 'start', stopOthers: true }
  return strategy === 'reject' ? { kind: 'fail', reason: 'turn_running', closeCalls: false } : { kind: 'queue' }
}

function askTools({ open, rounds, maxRounds }: Extract<TurnInput, { kind: 'asked-for-tools' }>): Transition {
  if (rounds >= maxRounds) return { kind: 'fail', reason: 'tool_rounds_exceeded', closeCalls: false }
  return open === 0 ? { kind: 'think-again' } : { kind: 'wait-for-tools' }
}
